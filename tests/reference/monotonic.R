# Posteriors of monotonic effects by brms, with the priors that tests/sampling/test_monotonic_against_brms.py states.
# Run from the repository root:
#   Rscript tests/reference/monotonic.R [name ...]
# Writes tests/reference/monotonic_data.csv (simulated with the seed below) and tests/reference/monotonic/<name>.csv:
# variable, mean, sd and their Monte Carlo standard errors. Some four minutes, most of it Stan's compiler.
# brms's coefficient is the average step between neighbouring levels: with four levels a third of the whole effect.
suppressPackageStartupMessages({library(brms); library(posterior)})
here <- file.path("tests", "reference")
options(mc.cores = 1)
rows <- 240
set.seed(26)
level <- sample(0:3, rows, replace = TRUE)
z <- round(rnorm(rows), 3)
f <- sample(c("a", "b", "c"), rows, replace = TRUE)
g <- sample(letters[1:8], rows, replace = TRUE)
rise <- c(0, 0.1, 0.8, 1)[level + 1]
fall <- c(0, 0.6, 0.7, 1)[level + 1]
of_group <- setNames(0.6 * rnorm(8), letters[1:8])
y <- 0.4 + 1.5 * rise + 0.5 * z - 0.8 * fall * z + 0.8 * rnorm(rows)
s <- rbinom(rows, 1, plogis(-0.8 + 1.6 * rise + 0.5 * (f == "b") + fall * (f == "c") + of_group[g]))
data <- data.frame(level, x = c("none", "some", "much", "all")[level + 1], z, f, g, y = round(y, 4), s)
out <- file(file.path(here, "monotonic_data.csv"), open = "wb")
write.table(data, out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
close(out)
data$x <- ordered(data$x, c("none", "some", "much", "all"))

steps <- function(coef) c(set_prior("normal(0, 0.5)", class = "b", coef = coef))
fit <- function(formula, prior, family) brm(
  formula, data, family, prior, chains = 4, iter = 5000, warmup = 1000, seed = 1, refresh = 0, silent = 2,
  control = list(adapt_delta = 0.95), init = 0)
models <- list(
  gaussian = function() fit(
    y ~ 0 + Intercept + mo(x) * z,
    c(set_prior("normal(0, 1)", class = "b"), steps("mox"), steps("mox:z"),
      set_prior("dirichlet(2)", class = "simo", coef = "mox1"), set_prior("exponential(1)", class = "sigma")),
    gaussian()),
  bernoulli = function() fit(
    s ~ 0 + Intercept + mo(level) * f + (1 | g),
    c(set_prior("normal(0, 1)", class = "b"), steps("molevel"), steps("molevel:fb"), steps("molevel:fc"),
      set_prior("normal(0, 1)", class = "sd")),
    bernoulli()))

wanted <- commandArgs(TRUE)
dir.create(file.path(here, "monotonic"), showWarnings = FALSE)
for (name in if (length(wanted)) wanted else names(models)) {
  seen <- models[[name]]()
  draws <- as_draws_array(seen)
  draws <- draws[, , !grepl("^(lp__|lprior|z_)", variables(draws))]
  table <- summarise_draws(draws, mean, sd, mcse_mean, mcse_sd, rhat)
  stopifnot(all(is.na(table$rhat) | table$rhat < 1.01))
  divergent <- sum(subset(nuts_params(seen), Parameter == "divergent__")$Value)
  cat(name, "divergences:", divergent, "\n")
  numbers <- lapply(table[c("mean", "sd", "mcse_mean", "mcse_sd")], function(each) sprintf("%.12g", each))
  out <- file(file.path(here, "monotonic", paste0(name, ".csv")), open = "wb")
  write.table(data.frame(variable = gsub(",", ";", table$variable), numbers), out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
  close(out)
}
