# Which columns R's lm() drops since others make them up, by its pivoted QR decomposition.
# Run from the repository root:  Rscript tests/reference/dependence.R
# Reads modelmatrix_data.csv and writes tests/reference/dependence.csv: a row per formula, its columns and those dropped.
here <- file.path("tests", "reference")
d <- read.csv(file.path(here, "modelmatrix_data.csv"), stringsAsFactors = TRUE)
d$b <- d$b == "True"
d$twice <- 2 * d$x + 1
d$sum <- d$x + d$z
d$far <- d$x + 1e5
d$code <- c(high = 1, low = 2, mid = 4)[as.character(d$g)]
formulas <- c("x + z", "x + twice", "x + z + sum", "sum + x + z", "far + x", "far + z", "code + g", "g + code", "0 + g + code",
              "x * z + x:sum", "g * h", "g * h + x:h", "0 + f:g + b", "f * g + f:g:b", "twice * f + x:f", "h + g + g:h:x")
found <- lapply(formulas, function(text) {
  coefficient <- coef(lm(as.formula(paste("y ~", text)), d))
  data.frame(formula = text, rank = sum(!is.na(coefficient)),
             names = paste(names(coefficient), collapse = " "),
             dropped = paste(names(coefficient)[is.na(coefficient)], collapse = " "))
})
out <- file(file.path(here, "dependence.csv"), open = "wb")
write.table(do.call(rbind, found), out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
close(out)
