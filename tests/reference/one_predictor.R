# Posteriors of families with one linear predictor, by brms, with the priors that tests/sampling/test_one_predictor_against_brms.py
# states. Run from the repository root:  Rscript tests/reference/one_predictor.R [name ...]
# Writes tests/reference/one_predictor_data.csv (simulated with the seeds below; schools are Rubin's 1981) and
# tests/reference/one_predictor/<name>.csv: variable, mean, sd and their Monte Carlo standard errors. Some twenty
# minutes, most of it Stan's compiler.
source(file.path("tests", "reference", "posteriors.R"))
rows <- 160
x <- round(seq(-1.5, 1.5, length.out = rows), 2)
group <- rep(letters[1:8], length.out = rows)
set.seed(20)
effect <- setNames(0.4 * rnorm(8), letters[1:8])[group]
rate <- plogis(-0.3 + 0.6 * x + effect)
counts <- exp(1 + 0.5 * x + effect)
# four digits: what a file holds is what was fitted
some <- function(values) round(values, 4)
shares <- pmin(pmax(some(rbeta(rows, rate * 6, (1 - rate) * 6)), 0.0001), 0.9999)
ends <- runif(rows)
data <- list(
  beta = data.frame(y = shares, x, g = group),
  zero_one_inflated_beta = data.frame(
    y = ifelse(ends < 0.2, as.numeric(runif(rows) < 0.4), shares), x, g = group),
  geometric = data.frame(y = rnbinom(rows, size = 1, mu = counts), x, g = group),
  nbinom1 = data.frame(y = rnbinom(rows, size = counts / 1.5, mu = counts), x, g = group),
  gamma_inverse = data.frame(y = some(rgamma(rows, 3, 3 * (1.2 + 0.3 * x))), x, g = ""),
  bernoulli_log = data.frame(y = rbinom(rows, 1, exp(-1.6 + 0.3 * x)), x, g = ""),
  gaussian_log = data.frame(y = some(rnorm(rows, exp(1 + 0.5 * x + effect), 0.8)), x, g = group),
  se = data.frame(y = c(28, 8, -3, 7, -1, 1, 18, 12), x = c(15, 10, 16, 11, 9, 11, 10, 18), g = LETTERS[1:8]),
  se_sigma = data.frame(y = some(rnorm(rows, 1 + 0.5 * x + effect, sqrt(0.6^2 + (0.2 + 0.3 * (x + 1.5))^2))),
                        x = some(0.2 + 0.3 * (x + 1.5)), g = group))
written <- do.call(rbind, Map(function(name, frame) data.frame(model = name, frame), names(data), data))
store(written, "one_predictor_data.csv")

nbinom1 <- custom_family("nbinom1", dpars = c("mu", "phi"), links = c("log", "identity"), lb = c(NA, 0), type = "int")
nbinom1_text <- stanvar(block = "functions", scode =
  "real nbinom1_lpmf(int y, real mu, real phi) { return neg_binomial_2_lpmf(y | mu, mu / phi); }")
common <- c(set_prior("normal(0, 1.5)", class = "Intercept"), set_prior("normal(0, 1)", class = "b"))
spread <- set_prior("normal(0, 1)", class = "sd")
own <- function(class, text) set_prior(text, class = class)
fit <- function(formula, data, family, prior, start = 0, ...) brm(
  formula, data, family, prior, chains = 4, iter = 12000, warmup = 2000, seed = 1, refresh = 0, silent = 2,
  control = list(adapt_delta = 0.95), ...,
  init = if (is.list(start)) rep(list(start), 4) else start)
models <- list(
  beta = function() fit(y ~ x + (1 | g), data$beta, Beta(), c(common, spread, own("phi", "gamma(2, 0.1)"))),
  zero_one_inflated_beta = function() fit(
    y ~ x + (1 | g), data$zero_one_inflated_beta, zero_one_inflated_beta(),
    c(common, spread, own("phi", "gamma(2, 0.1)"), own("zoi", "beta(1, 2)"), own("coi", "beta(2, 2)"))),
  geometric = function() fit(y ~ x + (1 | g), data$geometric, geometric(), c(common, spread)),
  nbinom1 = function() fit(
    y ~ x + (1 | g), data$nbinom1, nbinom1, c(common, spread, own("phi", "gamma(2, 1)")), stanvars = nbinom1_text),
  gamma_inverse = function() fit(
    y ~ x, data$gamma_inverse, Gamma("inverse"),
    c(own("Intercept", "normal(1, 1)"), own("b", "normal(0, 0.5)"), own("shape", "gamma(2, 0.5)")),
    list(Intercept = 1.2, b = as.array(0), shape = 2)),
  bernoulli_log = function() fit(
    y ~ x, data$bernoulli_log, bernoulli("log"), c(own("Intercept", "normal(-1, 1)"), own("b", "normal(0, 0.5)")),
    list(Intercept = -1.6, b = as.array(0))),
  gaussian_log = function() fit(
    y ~ x + (1 | g), data$gaussian_log, gaussian("log"), c(common, spread, own("sigma", "exponential(1)"))),
  se = function() fit(
    y | se(x) ~ 1 + (1 | g), data$se, gaussian(),
    c(own("Intercept", "normal(0, 20)"), own("sd", "normal(0, 15)"))),
  se_sigma = function() fit(
    y | se(x, sigma = TRUE) ~ 1 + (1 | g), data$se_sigma, gaussian(),
    c(own("Intercept", "normal(0, 2)"), spread, own("sigma", "exponential(1)"))))

store_posteriors(models, "one_predictor")
