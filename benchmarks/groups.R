# CPU seconds of glmer or lmer on rows: Rscript groups.R ROWS.csv FORMULA FAMILY NODES
suppressMessages(library(lme4))
given <- commandArgs(trailingOnly = TRUE)
frame <- read.csv(given[1])
frame$g <- factor(frame$g)
began <- proc.time()
if (given[3] == "gaussian") {
  fitted <- lmer(as.formula(given[2]), frame)
} else {
  fitted <- glmer(as.formula(given[2]), frame, given[3], nAGQ = as.integer(given[4]))
}
taken <- proc.time() - began
cat(sum(taken[c("user.self", "sys.self")]), fixef(fitted), as.data.frame(VarCorr(fitted))$sdcor[1], "\n")
