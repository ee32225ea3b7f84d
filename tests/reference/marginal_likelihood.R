# Log likelihoods of models with the effects of groups integrated out by 25 nodes, at lme4's estimates.
# Rscript tests/reference/marginal_likelihood.R; run by lme4 of Debian 12.
library(lme4)
set.seed(20)
groups <- 300
frame <- data.frame(g = rep(seq_len(groups), each = 5), x = rep(c(0, 1, 0, 1, 1), groups))
frame$y <- rbinom(nrow(frame), 1, plogis(-0.4 + 0.5 * frame$x + 1.1 * rnorm(groups)[frame$g]))
effect <- rnorm(groups)
frame$z <- round(rnorm(nrow(frame)), 4)
frame$y_number <- rbinom(nrow(frame), 1, plogis(-0.4 + 0.5 * frame$z + 1.1 * effect[frame$g]))
frame$trials <- sample(1:9, nrow(frame), TRUE)
frame$successes <- rbinom(nrow(frame), frame$trials, plogis(-0.8 + 0.5 * frame$x + 0.8 * effect[frame$g]))
frame$days <- round(runif(nrow(frame), 0.5, 3), 3)
frame$events <- rpois(nrow(frame), frame$days * exp(-0.3 + 0.4 * frame$x + 0.7 * effect[frame$g]))
write.csv(frame, "tests/reference/marginal_likelihood_data.csv", row.names = FALSE)
# Of counts lme4 leaves out the log likelihood of a model with a parameter for each row; what is added again here has
# no parameter in it: sums of y log(y / n) and the like, without n choose y and 1 / y!.
entropy <- function(y, n) sum(ifelse(y > 0, y * log(y / n), 0))
of_trials <- with(frame, entropy(successes, trials) + entropy(trials - successes, trials))
of_events <- with(frame, entropy(events, days) - sum(events))
row <- function(model, left_out, ...) {
  fitted <- glmer(..., data = frame, nAGQ = 25)
  data.frame(model = model, intercept = fixef(fitted)[[1]], slope = fixef(fitted)[[2]],
             sd = attr(VarCorr(fitted)$g, "stddev")[[1]], 
             log_likelihood = as.numeric(logLik(fitted)) + left_out)
}
result <- rbind(
  row("patterns", 0, y ~ x + (1 | g), family = binomial),
  row("number", 0, y_number ~ z + (1 | g), family = binomial),
  row("trials", of_trials, cbind(successes, trials - successes) ~ x + (1 | g), family = binomial),
  row("events", of_events, events ~ x + (1 | g) + offset(log(days)), family = poisson)
)
write.csv(format(result, digits = 15), "tests/reference/marginal_likelihood.csv", row.names = FALSE, quote = FALSE)
