# Maximum likelihood with glmmTMB.  Run from the repository root:  Rscript tests/reference/families.R
# Reads hiermod/data/sets/{cbpp,sleepstudy}.csv and tests/reference/grouseticks.csv; writes tests/reference/families.csv.
suppressPackageStartupMessages(library(glmmTMB))
here <- file.path("tests", "reference")
sets <- file.path("hiermod", "data", "sets")

cbpp <- read.csv(file.path(sets, "cbpp.csv"), colClasses = c("factor", "numeric", "numeric", "factor"))
sleepstudy <- read.csv(file.path(sets, "sleepstudy.csv"), colClasses = c("numeric", "numeric", "factor"))
ticks <- read.csv(file.path(here, "grouseticks.csv"), colClasses = c(YEAR = "factor"))

trials <- cbind(incidence, size - incidence) ~ period
fits <- list(
  negbinomial = glmmTMB(TICKS ~ YEAR + cHEIGHT, ticks, nbinom2),
  student = glmmTMB(TICKS ~ YEAR + cHEIGHT, ticks, t_family),
  gamma = glmmTMB(Reaction ~ Days, sleepstudy, Gamma(link = "log")),
  `beta_binomial(logit)` = glmmTMB(trials, cbpp, betabinomial("logit")),
  `beta_binomial(probit)` = glmmTMB(trials, cbpp, betabinomial("probit")),
  `beta_binomial(cloglog)` = glmmTMB(trials, cbpp, betabinomial("cloglog"))
)

# zeros with a part of their own, the share of which has terms
night <- transform(sleepstudy, Reaction = pmax(round(Reaction - 270, 4), 0))
with_zeros <- list(
  zero_inflated_poisson = glmmTMB(TICKS ~ YEAR + cHEIGHT, ticks, poisson, ziformula = ~ cHEIGHT),
  zero_inflated_negbinomial = glmmTMB(TICKS ~ cHEIGHT, ticks, nbinom2, ziformula = ~ YEAR),
  hurdle_poisson = glmmTMB(TICKS ~ YEAR + cHEIGHT, ticks, truncated_poisson, ziformula = ~ YEAR),
  hurdle_negbinomial = glmmTMB(TICKS ~ YEAR + cHEIGHT, ticks, truncated_nbinom2, ziformula = ~ YEAR),
  zero_inflated_binomial = glmmTMB(trials, cbpp, binomial, ziformula = ~ 1),
  hurdle_gamma = glmmTMB(Reaction ~ Days, night, ziGamma(link = "log"), ziformula = ~ Days)
)
fits <- c(fits, with_zeros)

# a family's own parameters in hiermod's names; glmmTMB's sigma of a gamma family is the coefficient of variation
own <- function(family, fit) switch(sub("\\(.*|zero_inflated_|hurdle_", "", family),
  negbinomial = c(alpha = sigma(fit)),
  student = c(sigma = sigma(fit), nu = unname(family_params(fit))),
  gamma = c(alpha = 1 / sigma(fit)^2),
  beta_binomial = c(kappa = sigma(fit))
)

rows <- NULL
for (family in names(fits)) {
  fit <- fits[[family]]
  stopifnot(fit$fit$convergence == 0)
  share <- fixef(fit)$zi
  part <- if (startsWith(family, "hurdle")) "hu_" else "zi_"
  names(share) <- paste0(rep(part, length(share)), sub("(Intercept)", "Intercept", names(share), fixed = TRUE))
  values <- c(fixef(fit)$cond, share, own(family, fit), logLik = as.numeric(logLik(fit)))
  names(values)[1] <- "Intercept"
  rows <- rbind(rows, data.frame(family, quantity = names(values), value = sprintf("%.17g", values)))
}
out <- file(file.path(here, "families.csv"), open = "wb")
write.table(rows, out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
close(out)
