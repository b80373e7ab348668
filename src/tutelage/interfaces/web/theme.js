// Sets the theme before the first paint; a module would come too late and flash.
const kept = localStorage.getItem("tutelage.theme");
document.documentElement.dataset.theme = kept || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
