# Writes a data set of lme4's as CSV: Rscript lme4_sets.R verbagg|insteval data.csv
# Codes get a letter, so that no program reads them as numbers.
arguments <- commandArgs(trailingOnly = TRUE)
frame <- switch(arguments[1],
  verbagg = with(lme4::VerbAgg, data.frame(
    yes = as.integer(r2 == "Y"), Anger, Gender, btype, situ, id = paste0("p", id), item
  )),
  insteval = with(lme4::InstEval, data.frame(
    y, service = as.integer(service == "1"), s = paste0("s", s), d = paste0("d", d)
  ))
)
write.csv(frame, arguments[2], row.names = FALSE)
