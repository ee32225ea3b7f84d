# Posteriors of durations, censored and truncated responses, by brms, with the priors that
# tests/sampling/test_durations_against_brms.py states. Run from the repository root:
#   Rscript tests/reference/durations.R [name ...]
# Writes tests/reference/durations_data.csv (simulated with the seed below; kidney is brms's data set, whose ages are
# decades from their mean) and tests/reference/durations/<name>.csv: variable, mean, sd and their Monte Carlo standard
# errors. Some ten minutes, most of it Stan's compiler.
source(file.path("tests", "reference", "posteriors.R"))
rows <- 160
set.seed(27)
x <- round(seq(-1.5, 1.5, length.out = rows), 2)
group <- rep(letters[1:8], length.out = rows)
eta <- 1 + 0.5 * x + setNames(0.4 * rnorm(8), letters[1:8])[group]
# four digits: what a file holds is what was fitted
some <- function(values) round(values, 4)
simulated <- function(y, censored = 0, upper = y) data.frame(y, upper, censored, x, z = 0, g = group)
positive <- function(eta, noise) { y <- eta + noise(); while (any(y <= 0)) y <- ifelse(y <= 0, eta + noise(), y); y }
value <- some(eta + 0.8 * rnorm(rows))
kind <- rep(c(0, 1, -1, 2), length.out = rows)
data("kidney", package = "brms")
data <- list(
  weibull = simulated(some(exp(eta) * rweibull(rows, 1.6) / gamma(1 + 1 / 1.6)) + 1e-4),
  exponential = simulated(some(exp(eta) * rexp(rows)) + 1e-4),
  shifted_lognormal = simulated(some(0.5 + exp(eta - 1 + 0.5 * rnorm(rows)))),
  exgaussian = simulated(some(eta + 0.4 * rnorm(rows) + rexp(rows, 1 / 0.9))),
  truncated = simulated(some(positive(eta - 0.5, function() 0.8 * rnorm(rows)))),
  # what is known of a value: itself, that it is above or below another, or between two
  intervals = simulated(
    some(ifelse(kind == 0, value, value + ifelse(kind == -1, 1, -1) * runif(rows, 0, 0.7))), kind,
    some(value + runif(rows, 0.01, 0.7))),
  kidney = with(kidney, data.frame(
    y = time, upper = time, censored, x = (age - mean(age)) / 10, z = as.numeric(sex == "female"),
    g = paste0("p", patient))))
written <- do.call(rbind, Map(function(name, frame) data.frame(model = name, frame), names(data), data))
store(transform(written, x = sprintf("%.15g", x)), "durations_data.csv")

own <- function(class, text, ...) set_prior(text, class = class, ...)
common <- c(own("Intercept", "normal(0, 1.5)"), own("b", "normal(0, 1)"), own("sd", "normal(0, 1)"))
of_kidney <- c(own("b", "normal(0, 1)"), own("b", "normal(4, 2)", coef = "Intercept"), own("sd", "normal(0, 1)"))
fit <- function(formula, data, family, prior) brm(
  formula, data, family, prior, chains = 4, iter = 6000, warmup = 1000, seed = 1, refresh = 0, silent = 2,
  control = list(adapt_delta = 0.95), init = 0)
plain <- y ~ x + (1 | g)
patients <- y | cens(censored) ~ 0 + Intercept + x + z + (1 | g)
models <- list(
  weibull = function() fit(plain, data$weibull, weibull(), c(common, own("shape", "gamma(2, 1)"))),
  exponential = function() fit(plain, data$exponential, exponential(), common),
  # brms's own prior of ndt is uniform below the smallest response
  shifted_lognormal = function() fit(
    plain, data$shifted_lognormal, shifted_lognormal(), c(common, own("sigma", "exponential(1)"))),
  exgaussian = function() fit(
    plain, data$exgaussian, exgaussian(), c(common, own("sigma", "exponential(1)"), own("beta", "gamma(2, 1)"))),
  truncated = function() fit(
    y | trunc(lb = 0) ~ x + (1 | g), data$truncated, gaussian(), c(common, own("sigma", "exponential(1)"))),
  intervals = function() fit(
    y | cens(censored, upper) ~ x + (1 | g), data$intervals, gaussian(), c(common, own("sigma", "exponential(1)"))),
  kidney_weibull = function() fit(patients, data$kidney, weibull(), c(of_kidney, own("shape", "gamma(2, 1)"))),
  kidney_lognormal = function() fit(patients, data$kidney, lognormal(), c(of_kidney, own("sigma", "exponential(1)"))))
store_posteriors(models, "durations")
