# Posteriors of models whose parameters each have a linear predictor, by brms, with the priors that
# tests/sampling/test_predictors_against_brms.py states. Run from the repository root:
#   Rscript tests/reference/predictors.R [name ...]
# Writes tests/reference/predictors_data.csv (simulated with the seed below) and tests/reference/predictors/<name>.csv:
# variable, mean, sd and their Monte Carlo standard errors. Some ten minutes, most of it Stan's compiler.
source(file.path("tests", "reference", "posteriors.R"))
rows <- 240
set.seed(26)
x <- rep(c(0, 1), length.out = rows)
group <- rep(letters[1:8], length.out = rows)
normals <- matrix(rnorm(16), 8)
of_mu <- setNames(0.6 * normals[, 1], letters[1:8])[group]
of_log <- setNames(0.4 * (0.5 * normals[, 1] + sqrt(0.75) * normals[, 2]), letters[1:8])[group]
trials <- rep(c(6, 9, 14), length.out = rows)
some <- function(values) round(values, 4)
rate <- plogis(-0.4 + 0.6 * x)
kappa <- exp(1.5 + 0.8 * x)
data <- data.frame(
  x, g = group, n = trials,
  y = some(1 + 0.5 * x + of_mu + exp(-0.3 + 0.5 * x + of_log) * rnorm(rows)),
  t = some(1 + 0.5 * x + exp(-0.3 + 0.5 * x) * rt(rows, 5)),
  c = rnbinom(rows, size = exp(0.2 + 0.8 * x), mu = exp(1.2 + 0.4 * x + of_mu)),
  s = rbinom(rows, trials, rbeta(rows, rate * kappa, (1 - rate) * kappa)))
store(data, "predictors_data.csv")

# `0 + Intercept`: a prior at x = 0, where hiermod's stands, and not at the mean of x
prior_of <- function(dpar, groups) c(
  set_prior("normal(0, 1.5)", class = "b", coef = "Intercept", dpar = dpar),
  set_prior("normal(0, 1)", class = "b", dpar = dpar),
  if (groups) set_prior("normal(0, 1)", class = "sd", dpar = dpar))
fit <- function(formula, prior, family) brm(
  formula, data, family, prior, chains = 4, iter = 5000, warmup = 1000, seed = 1, refresh = 0, silent = 2,
  control = list(adapt_delta = 0.95), init = 0)
models <- list(
  gaussian = function() fit(
    bf(y ~ 0 + Intercept + x + (1 | p | g), sigma ~ 0 + Intercept + x + (1 | p | g)),
    c(prior_of("", TRUE), prior_of("sigma", TRUE), set_prior("lkj(2)", class = "cor")), gaussian()),
  student = function() fit(
    bf(t ~ 0 + Intercept + x, sigma ~ 0 + Intercept + x),
    c(prior_of("", FALSE), prior_of("sigma", FALSE), set_prior("gamma(2, 0.1)", class = "nu")),
    student()),
  negbinomial = function() fit(
    bf(c ~ 0 + Intercept + x + (1 | g), shape ~ 0 + Intercept + x), c(prior_of("", TRUE), prior_of("shape", FALSE)),
    negbinomial()),
  beta_binomial = function() fit(
    bf(s | trials(n) ~ 0 + Intercept + x, phi ~ 0 + Intercept + x), c(prior_of("", FALSE), prior_of("phi", FALSE)),
    beta_binomial()))

store_posteriors(models, "predictors")
