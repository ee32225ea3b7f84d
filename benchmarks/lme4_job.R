# One job by lme4: a point estimate, twice in one session; prints timings as JSON.
suppressMessages(library(lme4))
job <- commandArgs(trailingOnly = TRUE)[1]
data <- read.csv(file.path("hiermod", "data", "sets", paste0(job, ".csv")))
fit <- function() {
  switch(job,
    country = glmer(success ~ treated + (1 + treated | country), data, binomial),
    cbpp = glmer(cbind(incidence, size - incidence) ~ factor(period) + (1 | herd), data, binomial),
    sleepstudy = lmer(Reaction ~ Days + (Days | Subject), data)
  )
}
seconds <- suppressWarnings(suppressMessages(sapply(1:2, function(i) system.time(fit())[["elapsed"]])))
cat(sprintf('{"first": %.4f, "again": %.4f}\n', seconds[1], seconds[2]))
