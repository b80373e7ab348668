"""The end of a training: the final fit, the result document, plots and importance, the failure document."""
