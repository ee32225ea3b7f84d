# Writes the small public data sets which the package ships, hiermod/data/sets/*.csv.
# Run from the repository root:  Rscript tests/reference/datasets.R
suppressPackageStartupMessages(library(lme4))
sets <- file.path("hiermod", "data", "sets")
dir.create(sets, recursive = TRUE, showWarnings = FALSE)

put <- function(frame, name) {
  # shortest decimal form that reads back as the same double
  for (column in names(frame)) if (is.double(frame[[column]])) {
    value <- frame[[column]]
    text <- vapply(value, function(v) {
      for (d in 1:17) {
        s <- formatC(v, digits = d, format = "fg", width = 1)
        if (as.numeric(s) == v) return(s)
      }
      stop("no exact decimal form")
    }, "")
    frame[[column]] <- text
  }
  out <- file(file.path(sets, name), open = "wb")
  on.exit(close(out))
  write.table(frame, out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
}

# 100 people in each of four cells; successes first within a cell
cells <- data.frame(country = c("Canada", "Canada", "China", "China"),
                    treated = c(0L, 1L, 0L, 1L),
                    successes = c(30L, 50L, 55L, 60L))
country <- do.call(rbind, lapply(seq_len(nrow(cells)), function(i)
  data.frame(country = cells$country[i], treated = cells$treated[i],
             success = rep(c(1L, 0L), c(cells$successes[i], 100L - cells$successes[i])))))
put(country, "country.csv")

put(data.frame(variant = c("A", "B", "C", "D"), successes = c(30L, 50L, 55L, 60L),
               trials = rep(100L, 4)), "variants.csv")
put(data.frame(variant = c("A", "B", "C", "D"), successes = c(3L, 50L, 55L, 60L),
               trials = c(10L, 100L, 100L, 100L)), "variants2.csv")

put(transform(lme4::cbpp, incidence = as.integer(incidence), size = as.integer(size)), "cbpp.csv")
put(lme4::sleepstudy, "sleepstudy.csv")
