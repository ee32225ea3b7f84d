# Posteriors under priors that shrink a set of coefficients together, by brms, with the priors that
# tests/sampling/test_shrinkage_against_brms.py states. Run from the repository root:
#   Rscript tests/reference/shrinkage.R [name ...]
# Writes tests/reference/shrinkage_data.csv (simulated with the seed below) and tests/reference/shrinkage/<name>.csv:
# variable, mean, sd and their Monte Carlo standard errors. Some six minutes, most of it Stan's compiler.
# Predictors have the mean 0 and the standard deviation 1 (of all rows), in whose unit brms states these priors.
suppressPackageStartupMessages({library(brms); library(posterior)})
here <- file.path("tests", "reference")
options(mc.cores = 1)
rows <- 120
set.seed(26)
X <- matrix(rnorm(rows * 8), rows)
X[, 2] <- X[, 2] + 0.7 * X[, 1]
X <- apply(X, 2, function(x) round((x - mean(x)) / sqrt(mean((x - mean(x))^2)), 6))
colnames(X) <- paste0("x", 1:8)
eta <- 1.2 * X[, 1] - 0.6 * X[, 3] + 0.15 * X[, 5]
data <- data.frame(X, y = round(1 + eta + rnorm(rows), 4), s = rbinom(rows, 1, plogis(0.3 + eta)))
out <- file(file.path(here, "shrinkage_data.csv"), open = "wb")
write.table(data, out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
close(out)

sum_of <- paste(paste0("x", 1:8), collapse = " + ")
level <- set_prior("normal(0, 1.5)", class = "Intercept")
fit <- function(left, prior, family) brm(
  as.formula(paste(left, "~", sum_of)), data, family, prior, chains = 4, iter = 6000, warmup = 2000, seed = 1,
  refresh = 0, silent = 2, control = list(adapt_delta = 0.995, max_treedepth = 12))
models <- list(
  horseshoe = function() fit(
    "y", c(level, set_prior("horseshoe(df = 1, scale_global = 0.2, scale_slab = 2, df_slab = 4)"),
           set_prior("exponential(1)", class = "sigma")), gaussian()),
  horseshoe_bernoulli = function() fit("s", c(level, set_prior("horseshoe(df = 3, par_ratio = 0.5)")), bernoulli()),
  r2d2 = function() fit(
    "y", c(level, set_prior("R2D2(mean_R2 = 0.4, prec_R2 = 3, cons_D2 = 0.5)"),
           set_prior("exponential(1)", class = "sigma")), gaussian()),
  r2d2_bernoulli = function() fit("s", c(level, set_prior("R2D2(mean_R2 = 0.5, prec_R2 = 2, cons_D2 = 1)")), bernoulli()))

wanted <- commandArgs(TRUE)
dir.create(file.path(here, "shrinkage"), showWarnings = FALSE)
for (name in if (length(wanted)) wanted else names(models)) {
  seen <- models[[name]]()
  draws <- as_draws_array(seen)
  draws <- draws[, , grepl("^(b_|sigma|R2D2_R2)", variables(draws))]
  table <- summarise_draws(draws, mean, sd, mcse_mean, mcse_sd, rhat)
  stopifnot(all(is.na(table$rhat) | table$rhat < 1.01))
  divergent <- sum(subset(nuts_params(seen), Parameter == "divergent__")$Value)
  cat(name, "divergences:", divergent, "\n")
  numbers <- lapply(table[c("mean", "sd", "mcse_mean", "mcse_sd")], function(each) sprintf("%.12g", each))
  out <- file(file.path(here, "shrinkage", paste0(name, ".csv")), open = "wb")
  write.table(data.frame(variable = table$variable, numbers), out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
  close(out)
}
