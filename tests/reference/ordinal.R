# Ordered and unordered categories by brms, with the priors that tests/sampling/test_categories_against_r.py states, and
# by ordinal's clmm. Run from the repository root:  Rscript tests/reference/ordinal.R [name ... | clmm]
# Writes tests/reference/inhaler.csv (brms's data set), choices.csv and trips.csv (simulated with the seeds below) and
# tests/reference/ordinal/<name>.csv: variable, mean, sd and their Monte Carlo standard errors; with "clmm" alone, or
# after all, ordinal_clmm.csv. Some ten minutes, most of it Stan's compiler.
source(file.path("tests", "reference", "posteriors.R"))
data("inhaler", package = "brms")
store(inhaler, "inhaler.csv")

set.seed(41)
people <- data.frame(g = rep(1:25, each = 12), x = round(rnorm(300, 1, 1), 2), arm = rep(c(-0.5, 0.5), 150))
shift <- matrix(rnorm(50, 0, 0.6), 25)
eta <- cbind(0, 0.6 + 0.6 * people$arm + shift[people$g, 1], -0.4 + 0.5 * people$x + shift[people$g, 2])
people$choice <- c("bus", "car", "walk")[apply(eta, 1, function(row) sample(3, 1, prob = exp(row)))]
store(people, "choices.csv")

set.seed(43)
trips <- data.frame(g = rep(1:20, each = 4), x = round(rnorm(80, 1, 1), 1), arm = rep(c(-0.5, 0.5), 40))
shift <- matrix(rnorm(40, 0, 0.6), 20)
eta <- cbind(0, 0.6 + 0.6 * trips$arm + shift[trips$g, 1], -0.4 + 0.5 * trips$x + shift[trips$g, 2])
counts <- t(apply(eta, 1, function(row) rmultinom(1, sample(4:12, 1), exp(row))))
trips[c("bus", "car", "walk")] <- counts
store(trips, "trips.csv")
trips$counts <- with(trips, cbind(bus, car, walk))
trips$total <- rowSums(counts)

priors <- function(...) c(
  set_prior("student_t(3, 0, 2.5)", class = "Intercept", ...), set_prior("normal(0, 1)", class = "b", ...),
  set_prior("normal(0, 1)", class = "sd", ...))
fit <- function(formula, data, family, prior) brm(
  formula, data, family, prior, chains = 4, iter = 3500, warmup = 1000, seed = 7, refresh = 0, silent = 2,
  control = list(adapt_delta = 0.95))
ordered <- function(name, link) fit(
  rating ~ treat + period + carry + (1 | subject), inhaler, brmsfamily(name, link), priors())
models <- list(
  cumulative = function() ordered("cumulative", "logit"), sratio = function() ordered("sratio", "probit"),
  cratio = function() ordered("cratio", "cloglog"), acat = function() ordered("acat", "logit"),
  categorical = function() fit(
    choice ~ arm + x + (1 | p | g), people, categorical(refcat = "bus"),
    c(priors(dpar = "mucar"), priors(dpar = "muwalk"), set_prior("lkj(2)", class = "cor"))),
  multinomial = function() fit(
    counts | trials(total) ~ arm + x + (1 | p | g), trips, multinomial(),
    c(priors(dpar = "mucar"), priors(dpar = "muwalk"), set_prior("lkj(2)", class = "cor"))))
clmm <- identical(commandArgs(TRUE), "clmm")
if (!clmm) store_posteriors(models, "ordinal", "^(lp__|lprior|z_|r_|Intercept|disc)")

if (clmm || !length(commandArgs(TRUE))) {
  options(digits = 17)
  levels <- transform(inhaler, rating = factor(rating, ordered = TRUE), subject = factor(subject))
  found <- ordinal::clmm(rating ~ treat + period + carry + (1 | subject), data = levels, nAGQ = 15)
  coefficients <- summary(found)$coefficients
  store(data.frame(
    term = c(rownames(coefficients), "sd"), estimate = c(coefficients[, 1], found$ST[[1]][1]),
    se = c(coefficients[, 2], NA)), "ordinal_clmm.csv")
}
