# The log likelihood of a logistic model with the effects of groups integrated out by 25 nodes, at lme4's estimate.
# Rscript tests/reference/marginal_likelihood.R; run by lme4 of Debian 12.
library(lme4)
set.seed(20)
groups <- 300
frame <- data.frame(g = rep(seq_len(groups), each = 5), x = rep(c(0, 1, 0, 1, 1), groups))
frame$y <- rbinom(nrow(frame), 1, plogis(-0.4 + 0.5 * frame$x + 1.1 * rnorm(groups)[frame$g]))
write.csv(frame, "tests/reference/marginal_likelihood_data.csv", row.names = FALSE)
fitted <- glmer(y ~ x + (1 | g), frame, binomial, nAGQ = 25)
result <- data.frame(intercept = fixef(fitted)[[1]], x = fixef(fitted)[[2]],
                     sd = attr(VarCorr(fitted)$g, "stddev")[[1]], log_likelihood = as.numeric(logLik(fitted)))
write.csv(format(result, digits = 15), "tests/reference/marginal_likelihood.csv", row.names = FALSE, quote = FALSE)
