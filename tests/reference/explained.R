# The Bayesian R² and LOO-R² that rstanarm gives of its own draws, and what performance and lme4 give as ICC.
# Run in the repository root: Rscript tests/reference/explained.R
# explained_sleepstudy.csv, explained_cbpp.csv: draws, in rstanarm's words, and the R² of each; explained_loo.csv:
# leave-one-out expectations of distinct rows; icc.csv: ICC of lme4's fits; icc_estimates.csv: what they are made of.
suppressPackageStartupMessages({library(lme4); library(rstanarm); library(performance)})
options(mc.cores = 1)
rows <- cbpp[rep(seq_len(nrow(cbpp)), cbpp$size), ]
rows$sick <- as.integer(sequence(cbpp$size) <= rep(cbpp$incidence, cbpp$size))
short <- list(chains = 1, iter = 400, warmup = 300, seed = 1, refresh = 0)
fits <- suppressWarnings(list(
  sleepstudy = do.call(stan_lmer, c(list(Reaction ~ Days + (Days | Subject), data = sleepstudy), short)),
  cbpp = do.call(stan_glmer, c(list(sick ~ period + (1 | herd), data = rows, family = binomial), short))))
loos <- NULL
for (name in names(fits)) {
  fit <- fits[[name]]
  values <- as.matrix(fit)
  values <- signif(values[, !grepl("_NEW_|^Sigma", colnames(values))], 8)
  table <- cbind(as.data.frame(values, optional = TRUE), conditional = bayes_R2(fit),
                 without_groups = bayes_R2(fit, re.form = NA))
  write.csv(table, paste0("tests/reference/explained_", name, ".csv"), row.names = FALSE)
  ratios <- -log_lik(fit)
  psis <- suppressWarnings(loo::psis(ratios, r_eff = NA))
  left_out <- loo::E_loo(posterior_epred(fit), psis, log_ratios = ratios)$value
  data <- if (name == "cbpp") rows[c("herd", "period")] else sleepstudy[c("Subject", "Days")]
  table <- data.frame(model = name, group = data[[1]], x = data[[2]], y = get_y(fit), expected = signif(left_out, 8),
                      loo_r2 = mean(suppressWarnings(loo_R2(fit))))
  loos <- rbind(loos, table[!duplicated(table), ])
}
write.csv(loos, "tests/reference/explained_loo.csv", row.names = FALSE)

ticks <- read.csv("tests/reference/grouseticks.csv")
models <- suppressMessages(list(
  sleepstudy = lmer(Reaction ~ Days + (Days | Subject), sleepstudy),
  penicillin = lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin),
  cbpp = glmer(sick ~ period + (1 | herd), rows, binomial),
  cbpp_probit = glmer(sick ~ period + (1 | herd), rows, binomial("probit")),
  grouseticks = glmer(TICKS ~ factor(YEAR) + (1 | BROOD) + (1 | LOCATION), ticks, poisson)))
# Of counts performance 0.10 takes the variance at exp(intercept) of a model without predictors, a typical group's mean;
# Nakagawa, Johnson and Schielzeth (2017) take it at the mean count, as here.
of_counts <- function(model) {
  varying <- as.data.frame(VarCorr(model))
  residual <- log1p(1 / mean(fitted(model)))
  fixed <- var(as.vector(model.matrix(model) %*% fixef(model)))
  groups <- setNames(c(sum(varying$vcov), varying$vcov), c("all groups", varying$grp))
  data.frame(group = names(groups), adjusted = groups / (groups[[1]] + residual),
             unadjusted = groups / (groups[[1]] + residual + fixed))
}
found <- NULL
for (name in names(models)) {
  model <- models[[name]]
  if (name == "grouseticks") {
    found <- rbind(found, data.frame(model = name, of_counts(model)))
    next
  }
  whole <- suppressWarnings(icc(model))
  by <- suppressWarnings(icc(model, by_group = TRUE))
  found <- rbind(found, data.frame(model = name, group = c("all groups", by$Group), adjusted = c(whole$ICC_adjusted, by$ICC),
                                   unadjusted = c(whole$ICC_unadjusted, rep(NA, nrow(by)))))
}
write.csv(found, "tests/reference/icc.csv", row.names = FALSE)
estimates <- do.call(rbind, lapply(names(models), function(name) {
  fixed <- fixef(models[[name]])
  varying <- as.data.frame(VarCorr(models[[name]]))
  modes <- as.data.frame(ranef(models[[name]]))
  rbind(data.frame(model = name, kind = "fixef", group = "", term = names(fixed), level = "", value = unname(fixed)),
        data.frame(model = name, kind = ifelse(is.na(varying$var2), "sd", "cor"), group = varying$grp,
                   term = ifelse(is.na(varying$var1), "", varying$var1), level = "", value = varying$sdcor),
        data.frame(model = name, kind = "ranef", group = as.character(modes$grpvar), term = as.character(modes$term),
                   level = as.character(modes$grp), value = modes$condval))
}))
write.csv(estimates, "tests/reference/icc_estimates.csv", row.names = FALSE)
