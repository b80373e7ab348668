// Before paint and modules: the theme, so that nothing flashes, and what the first view will ask.
document.documentElement.dataset.theme = localStorage["tutelage.theme"] || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")
document.documentElement.dataset.rows = localStorage["tutelage.rows"] || ""
const [first, about] = location.hash.slice(2).split(/[/?]/)
const questions = first ? [] : ["?limit=100&spark=48"]
if (first === "op" && about) for (const rest of ["", "/decisions", "/events?kinds=state,attempt_started,checkpoint,verdict,error,sample&limit=2000", "/metrics?scope=&points=1000"]) questions.push(`/${about}${rest}`)
if (!localStorage["tutelage.session"]) questions.length = 0
window.early = new Map(questions.map(rest => [`/operations${rest}`, fetch(`/api/v1/operations${rest}`)]))
