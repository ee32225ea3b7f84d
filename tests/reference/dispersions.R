# What dispformula is of in glmmTMB 1.1.5.  Run from the repository root:  Rscript tests/reference/dispersions.R
# Reads hiermod/data/sets/sleepstudy.csv and tests/reference/grouseticks.csv; writes tests/reference/dispersions.csv.
suppressPackageStartupMessages(library(glmmTMB))
stopifnot(packageVersion("glmmTMB") < "1.1.9") # gaussian dispersions are standard deviations from there on
here <- file.path("tests", "reference")
sleepstudy <- read.csv(file.path("hiermod", "data", "sets", "sleepstudy.csv"))
sleepstudy <- transform(sleepstudy, share = Reaction / 1000, hits = round(Reaction / 10))
ticks <- read.csv(file.path(here, "grouseticks.csv"), colClasses = c(YEAR = "factor"))

night <- transform(sleepstudy, Reaction = pmax(round(Reaction - 270, 4), 0))
fits <- list(
  gaussian = glmmTMB(Reaction ~ Days, sleepstudy, dispformula = ~ Days),
  gamma = glmmTMB(Reaction ~ Days, sleepstudy, Gamma(link = "log"), dispformula = ~ Days),
  beta = glmmTMB(share ~ Days, sleepstudy, beta_family, dispformula = ~ Days),
  beta_binomial = glmmTMB(cbind(hits, 100 - hits) ~ Days, sleepstudy, betabinomial, dispformula = ~ Days),
  nbinom2 = glmmTMB(TICKS ~ cHEIGHT, ticks, nbinom2, dispformula = ~ cHEIGHT),
  nbinom1 = glmmTMB(TICKS ~ cHEIGHT, ticks, nbinom1, dispformula = ~ cHEIGHT),
  poisson_zi = glmmTMB(TICKS ~ cHEIGHT, ticks, poisson, ziformula = ~ cHEIGHT),
  gamma_zi = glmmTMB(Reaction ~ Days, night, ziGamma(link = "log"), ziformula = ~ Days, dispformula = ~ Days)
)
rows <- NULL
for (name in names(fits)) {
  fit <- fits[[name]]
  stopifnot(fit$fit$convergence == 0)
  values <- c(mu = fixef(fit)$cond, disp = fixef(fit)$disp, zi = fixef(fit)$zi, logLik = as.numeric(logLik(fit)))
  rows <- rbind(rows, data.frame(name, quantity = sub("(Intercept)", "0", names(values), fixed = TRUE),
                                 value = sprintf("%.17g", values)))
}
out <- file(file.path(here, "dispersions.csv"), open = "wb")
write.table(rows, out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
close(out)
