# Durations and censoring in brms, with the priors that hiermod is given: data and posterior summaries as CSV.
# Rscript tests/reference/durations.R   (some ten minutes; needs brms, survival, posterior)
suppressPackageStartupMessages({library(brms); library(survival); library(posterior)})
here <- "tests/reference"
options(mc.cores = 1)
keep <- function(name, data, formula, family, prior, n = 2500, ...) {
  write.csv(data, file.path(here, paste0("durations_", name, ".csv")), row.names = FALSE)
  fit <- brm(formula, data, family, prior = prior, chains = 4, iter = 1000 + n, warmup = 1000, seed = 1,
             refresh = 0, control = list(adapt_delta = 0.95), ...)
  table <- summarise_draws(fit, mean, sd, mcse_mean, mcse_sd)
  table <- table[grepl("^(b_|sd_|shape|sigma|ndt|beta)", table$variable), ]
  data.frame(model = name, table)
}
data(kidney, package = "brms")
kidney <- kidney[, c("time", "censored", "patient", "age", "sex")]
common <- c(set_prior("normal(4, 2)", class = "b", coef = "Intercept"), set_prior("normal(0, 1)", class = "sd"))
found <- keep("kidney", kidney, time | cens(censored) ~ 0 + Intercept + age + sex + (1 | patient), weibull(),
  c(common, set_prior("normal(0, 0.1)", class = "b", coef = "age"),
    set_prior("normal(0, 1)", class = "b", coef = "sexfemale"), set_prior("gamma(2, 1)", class = "shape")))
lung <- na.omit(survival::lung[, c("time", "status", "age", "sex")])
lung$male <- 2 - lung$sex
lung$age <- (lung$age - 60) / 10
lung$event <- lung$status - 1
lung <- lung[, c("time", "event", "age", "male")]
found <- rbind(found, keep("lung", lung, time | cens(1 - event) ~ 0 + Intercept + age + male, lognormal(),
  c(set_prior("normal(6, 2)", class = "b", coef = "Intercept"), set_prior("normal(0, 1)", class = "b", coef = "age"),
    set_prior("normal(0, 1)", class = "b", coef = "male"), set_prior("exponential(1)", class = "sigma"))))
set.seed(4)
interval <- data.frame(g = rep(letters[1:8], each = 20), x = rnorm(160))
y <- 1 + 0.5 * interval$x + rep(rnorm(8, 0, 0.6), each = 20) + rnorm(160)
interval$y <- floor(y)
interval$end <- interval$y + 1
interval$kind <- "interval"
exact <- 1:60
interval$y[exact] <- round(y[exact], 3)
interval$kind[exact] <- "none"
above <- interval$y > 2.5 & interval$kind == "interval"
interval$kind[above] <- "right"
found <- rbind(found, keep("interval", interval, y | cens(kind, end) ~ 0 + Intercept + x + (1 | g), gaussian(),
  c(set_prior("normal(0, 2)", class = "b", coef = "Intercept"), set_prior("normal(0, 1)", class = "b", coef = "x"),
    set_prior("normal(0, 1)", class = "sd"), set_prior("exponential(1)", class = "sigma"))))
n <- 150
times <- data.frame(x = rep(0:1, n / 2))
times$y <- round(0.25 + exp(-0.8 + 0.4 * times$x + 0.5 * rnorm(n)), 4)
found <- rbind(found, keep("shifted", times, y ~ 0 + Intercept + x, shifted_lognormal(),
  c(set_prior("normal(0, 2)", class = "b", coef = "Intercept"), set_prior("normal(0, 1)", class = "b", coef = "x"),
    set_prior("exponential(1)", class = "sigma"), set_prior(sprintf("uniform(0, %s)", min(times$y)), class = "ndt", lb = 0, ub = min(times$y)))))
times$y <- round(0.2 + 0.3 * times$x + 0.3 * rnorm(n) + 0.6 * rexp(n), 4)
found <- rbind(found, keep("exgaussian", times, y ~ 0 + Intercept + x, exgaussian(),
  c(set_prior("normal(0, 2)", class = "b", coef = "Intercept"), set_prior("normal(0, 1)", class = "b", coef = "x"),
    set_prior("exponential(1)", class = "sigma"), set_prior("exponential(1)", class = "beta"))))
cut <- data.frame(x = rnorm(400))
cut$y <- rgamma(400, 3, 3 / exp(0.3 + 0.3 * cut$x))
cut <- round(cut[cut$y > 0.8 & cut$y < 4, ], 4)
found <- rbind(found, keep("truncated", cut, y | trunc(lb = 0.8, ub = 4) ~ 0 + Intercept + x, Gamma("log"),
  c(set_prior("normal(0, 1)", class = "b", coef = "Intercept"), set_prior("normal(0, 1)", class = "b", coef = "x"),
    set_prior("gamma(2, 0.5)", class = "shape"))))
write.csv(found, file.path(here, "durations_brms.csv"), row.names = FALSE)
