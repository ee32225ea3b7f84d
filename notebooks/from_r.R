# The outputs of lme4 and brms that from_r.md shows beside those of hiermod.
# Run: Rscript notebooks/from_r.R OUT_FOLDER; brms compiles each model, about a minute.
suppressPackageStartupMessages({library(lme4); library(brms)})
out <- commandArgs(trailingOnly = TRUE)[1]
options(width = 96)
cbpp$herd <- as.integer(as.character(cbpp$herd))
m1 <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
m2 <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
capture.output(print(summary(m1, correlation = FALSE)), file = file.path(out, "sleepstudy_lme4.txt"))
capture.output(print(summary(m2, correlation = FALSE)), file = file.path(out, "cbpp_lme4.txt"))
b1 <- brm(Reaction ~ Days + (Days | Subject), sleepstudy, seed = 1, cores = 1, refresh = 0)
capture.output(print(summary(b1)), file = file.path(out, "sleepstudy_brms.txt"))
capture.output(print(hypothesis(b1, "Days > 8")), file = file.path(out, "sleepstudy_hypothesis.txt"))
b2 <- brm(incidence | trials(size) ~ period + (1 | herd), cbpp, binomial, seed = 1, cores = 1, refresh = 0)
capture.output(print(summary(b2)), file = file.path(out, "cbpp_brms.txt"))
capture.output(print(hypothesis(b2, c("period2 < period3", "exp(period2) < 0.5"))), file = file.path(out, "cbpp_hypothesis.txt"))
