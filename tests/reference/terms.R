# What R's terms() makes of right sides of formulas, which were drawn at random once
# and are the first column of terms.csv: sums, products, brackets, powers, 0 and 1.
# From the repository root: Rscript tests/reference/terms.R [output folder]

folder <- c(commandArgs(TRUE), "tests/reference")[1]
formulas <- read.csv("tests/reference/terms.csv")$r
read <- function(text) {
  made <- terms(as.formula(paste("y ~", text)))
  c(attr(made, "intercept"), paste(attr(made, "term.labels"), collapse = " "))
}
made <- t(sapply(formulas, read, USE.NAMES = FALSE))
write.csv(data.frame(r = formulas, intercept = made[, 1], terms = made[, 2]),
          file.path(folder, "terms.csv"), row.names = FALSE)
