# Posteriors of families with a part of their own for zeros, by brms, with the priors that
# tests/sampling/test_mixtures_against_brms.py states. Run from the repository root:
#   Rscript tests/reference/mixtures.R [name ...]
# Writes tests/reference/mixtures_data.csv (simulated with the seed below) and tests/reference/mixtures/<name>.csv:
# variable, mean, sd and their Monte Carlo standard errors. Some twenty minutes, most of it Stan's compiler.
source(file.path("tests", "reference", "posteriors.R"))
rows <- 240
set.seed(25)
x <- rep(c(-0.5, 0.5), length.out = rows)  # of mean 0, where intercepts have their priors
z <- round(seq(-1.5, 1.5, length.out = rows), 2)
group <- rep(letters[1:8], length.out = rows)
effect <- setNames(0.5 * rnorm(8), letters[1:8])[group]
effect_of_zeros <- setNames(0.6 * rnorm(8), letters[1:8])[group]
eta <- 1.1 + 0.5 * x + effect
few <- runif(rows) < 0.3
more <- runif(rows) < plogis(-0.8 + 0.7 * z + effect_of_zeros)
trials <- rep(c(6, 9, 14), length.out = rows)
rate <- plogis(-0.6 + 0.6 * x + effect)
# four digits: what a file holds is what was fitted
some <- function(values) round(values, 4)
above <- function(draw) { values <- draw(); while (any(values == 0)) values <- ifelse(values == 0, draw(), values); values }
zeros <- function(where, values) ifelse(where, 0, values)
responses <- list(
  zero_inflated_poisson = zeros(more, rpois(rows, exp(eta))),
  zero_inflated_negbinomial = zeros(more, rnbinom(rows, size = 2, mu = exp(eta))),
  zero_inflated_binomial = zeros(few, rbinom(rows, trials, rate)),
  zero_inflated_beta_binomial = zeros(few, rbinom(rows, trials, rbeta(rows, rate * 6, (1 - rate) * 6))),
  hurdle_poisson = zeros(few, above(function() rpois(rows, exp(eta)))),
  hurdle_negbinomial = zeros(more, above(function() rnbinom(rows, size = 2, mu = exp(eta)))),
  hurdle_gamma = zeros(more, some(rgamma(rows, 2, 2 / exp(eta)))),
  hurdle_lognormal = zeros(more, some(exp(rnorm(rows, eta, 0.7)))))
data <- lapply(responses, function(y) data.frame(y, x, z, g = group, n = trials))
written <- do.call(rbind, Map(function(name, frame) data.frame(model = name, frame), names(data), data))
store(written, "mixtures_data.csv")

of_mu <- c(set_prior("normal(0, 1.5)", class = "Intercept"), set_prior("normal(0, 1)", class = "b"),
           set_prior("normal(0, 1)", class = "sd"))
of_zeros <- function(part, groups) c(
  set_prior("normal(0, 1.5)", class = "Intercept", dpar = part), set_prior("normal(0, 1)", class = "b", dpar = part),
  if (groups) set_prior("normal(0, 1)", class = "sd", dpar = part))
own <- function(class, text) set_prior(text, class = class)
fit <- function(name, formula, prior, family = get(name, asNamespace("brms"))()) brm(
  formula, data[[name]], family, prior, chains = 4, iter = 5000, warmup = 1000, seed = 1, refresh = 0, silent = 2,
  control = list(adapt_delta = 0.95), init = 0)
models <- list(
  zero_inflated_poisson = function(name) fit(name, bf(y ~ x + (1 | g), zi ~ z), c(of_mu, of_zeros("zi", FALSE))),
  zero_inflated_negbinomial = function(name) fit(
    name, bf(y ~ x + (1 | g), zi ~ z + (1 | g)), c(of_mu, of_zeros("zi", TRUE), own("shape", "gamma(2, 0.5)"))),
  zero_inflated_binomial = function(name) fit(name, y | trials(n) ~ x + (1 | g), c(of_mu, own("zi", "beta(1, 1)"))),
  zero_inflated_beta_binomial = function(name) fit(
    name, y | trials(n) ~ x + (1 | g), c(of_mu, own("zi", "beta(1, 1)"), own("phi", "gamma(2, 0.1)"))),
  hurdle_poisson = function(name) fit(name, y ~ x + (1 | g), c(of_mu, own("hu", "beta(1, 1)"))),
  hurdle_negbinomial = function(name) fit(
    name, bf(y ~ x + (1 | g), hu ~ z), c(of_mu, of_zeros("hu", FALSE), own("shape", "gamma(2, 0.5)"))),
  hurdle_gamma = function(name) fit(
    name, bf(y ~ x + (1 | p | g), hu ~ z + (1 | p | g)),
    c(of_mu, of_zeros("hu", TRUE), own("shape", "gamma(2, 0.5)"), own("cor", "lkj(2)"))),
  hurdle_lognormal = function(name) fit(
    name, bf(y ~ x + (1 | g), hu ~ z + (1 | g)), c(of_mu, of_zeros("hu", TRUE), own("sigma", "exponential(1)"))))

store_posteriors(Map(function(model, name) function() model(name), models, names(models)), "mixtures")
