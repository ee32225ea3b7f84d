# Maximum likelihood of censored responses by R's survreg: estimates, standard errors and log likelihoods.
# Rscript tests/reference/survreg.R   (seconds; needs survival)
suppressPackageStartupMessages(library(survival))
here <- "tests/reference"
lung <- na.omit(survival::lung[, c("time", "status", "age", "sex")])
lung <- data.frame(time = lung$time, status = lung$status, age = (lung$age - 60) / 10, male = 2 - lung$sex)
write.csv(lung, file.path(here, "survreg_lung.csv"), row.names = FALSE)
set.seed(4)
n <- 200
mixed <- data.frame(x = round(rnorm(n), 3))
y <- 1 + 0.5 * mixed$x + rnorm(n)
mixed$low <- round(y, 3)
mixed$high <- mixed$low
mixed$kind <- rep(c("none", "interval", "right", "left"), length.out = n)
inside <- mixed$kind == "interval"
mixed$low[inside] <- floor(y[inside])
mixed$high[inside] <- floor(y[inside]) + 1
write.csv(mixed, file.path(here, "survreg_mixed.csv"), row.names = FALSE)
event <- c(none = 1, interval = 3, right = 0, left = 2)[mixed$kind]
row <- function(model, data, fit) {
  terms <- c(names(coef(fit)), if (length(fit$scale) && fit$dist != "exponential") "scale")
  values <- c(coef(fit), if (fit$dist != "exponential") fit$scale)
  errors <- sqrt(diag(fit$var))[seq_along(values)]
  data.frame(model, data, term = terms, value = unname(values), se = unname(errors), loglik = fit$loglik[2])
}
found <- do.call(rbind, lapply(c("weibull", "exponential", "lognormal"), function(dist) {
  row(dist, "lung", survreg(Surv(time, status) ~ age + male, data = lung, dist = dist))
}))
surv <- Surv(mixed$low, mixed$high, event, type = "interval")
found <- rbind(found, row("gaussian", "mixed", survreg(surv ~ x, data = mixed, dist = "gaussian")))
write.csv(found, file.path(here, "survreg.csv"), row.names = FALSE)
