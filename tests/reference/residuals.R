# What R's fitted() and residuals() give of lm, glm, lmer and glmer, the chances that quantile residuals are made of, and
# the estimates behind them. Run in the repository root: Rscript tests/reference/residuals.R
suppressPackageStartupMessages(library(lme4))
ticks <- read.csv("tests/reference/grouseticks.csv")
ticks$YEAR <- factor(ticks$YEAR)
models <- list(
  gaussian = lm(Reaction ~ Days, sleepstudy),
  gamma = glm(Reaction ~ Days, Gamma("log"), sleepstudy),
  poisson = glm(TICKS ~ YEAR + offset(log(HEIGHT)), poisson, ticks),
  binomial = glm(cbind(incidence, size - incidence) ~ period, binomial, cbpp),
  probit = glm(cbind(incidence, size - incidence) ~ period, binomial("probit"), cbpp),
  lmer = lmer(Reaction ~ Days + (Days | Subject), sleepstudy),
  glmer = glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial))
of_family <- function(name, model) {
  y <- model.response(model.frame(model))
  mean <- fitted(model)
  scale <- sqrt(switch(name, gaussian =, lmer = sigma(model)^2, gamma = summary(model)$dispersion, 1))
  chances <- switch(name,
    gaussian =, lmer = rep(list(pnorm(y, mean, scale)), 2),
    gamma = rep(list(pgamma(y, scale^-2, scale^-2 / mean)), 2),
    poisson = list(ppois(y - 1, mean), ppois(y, mean)),
    list(pbinom(y[, 1] - 1, rowSums(y), mean), pbinom(y[, 1], rowSums(y), mean)))
  data.frame(model = name, fitted = mean, response = residuals(model, type = "response"),
             pearson = residuals(model, type = "pearson") / scale, lower = chances[[1]], upper = chances[[2]])
}
of_estimates <- function(name, model) {
  merged <- is(model, "merMod")
  fixed <- if (merged) fixef(model) else coef(model)
  found <- data.frame(model = name, group = "", level = "", term = names(fixed), value = unname(fixed))
  if (merged) {
    modes <- as.data.frame(ranef(model))
    found <- rbind(found, data.frame(model = name, group = modes$grpvar, level = modes$grp, term = modes$term, value = modes$condval))
  }
  scale <- switch(name, gaussian =, lmer = sigma(model), gamma = 1 / summary(model)$dispersion, NA)
  if (is.na(scale)) found else rbind(found, data.frame(model = name, group = "", level = "", term = "scale", value = scale))
}
write.csv(do.call(rbind, Map(of_family, names(models), models)), "tests/reference/residuals.csv", row.names = FALSE)
write.csv(do.call(rbind, Map(of_estimates, names(models), models)), "tests/reference/residuals_estimates.csv", row.names = FALSE)
