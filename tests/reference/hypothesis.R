# What brms's `hypothesis` says of given draws: hypothesis_draws.csv (made here) and hypothesis.csv.
# Run in the repository root: Rscript tests/reference/hypothesis.R
suppressPackageStartupMessages(library(brms))
set.seed(1)
draws <- data.frame(treated = round(rnorm(60, 0.3, 0.5), 3), other = round(rnorm(60, 0.1, 0.4), 3))
draws$sd <- round(abs(rnorm(60, 0.8, 0.3)), 3)
write.csv(draws, "tests/reference/hypothesis_draws.csv", row.names = FALSE)
asked <- c("treated > 0", "treated < 0.5", "treated - other > 0.1", "exp(treated) / 2 < sd^2",
           "abs(treated - other) < 0.4", "2 * (treated + other) > -sd", "plogis(treated) > 0.5")
found <- hypothesis(draws, asked)$hypothesis
found$asked <- asked
write.csv(found[, c("asked", "Estimate", "Est.Error", "CI.Lower", "CI.Upper", "Evid.Ratio", "Post.Prob")],
          "tests/reference/hypothesis.csv", row.names = FALSE)
