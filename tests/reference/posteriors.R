# What scripts share that store brms's posteriors: `source`d from the repository root.
suppressPackageStartupMessages({library(brms); library(posterior)})
options(mc.cores = 1)
if (!nzchar(system.file("include", package = "BH"))) rstan::rstan_options(boost_lib = "/usr/include")
here <- file.path("tests", "reference")

store <- function(frame, ...) {
  out <- file(file.path(here, ...), open = "wb")
  write.table(frame, out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
  close(out)
}

# Fits the models that the command line names, or all; a file as soon as each is there.
store_posteriors <- function(models, folder, dropped = "^(lp__|lprior|z_|Intercept|disc)") {
  wanted <- commandArgs(TRUE)
  dir.create(file.path(here, folder), showWarnings = FALSE)
  for (name in if (length(wanted)) wanted else names(models)) {
    seen <- models[[name]]()
    draws <- as_draws_array(seen)
    draws <- draws[, , !grepl(dropped, variables(draws))]
    table <- summarise_draws(draws, mean, sd, mcse_mean, mcse_sd, rhat)
    stopifnot(all(is.na(table$rhat) | table$rhat < 1.01))
    cat(name, "divergences:", sum(subset(nuts_params(seen), Parameter == "divergent__")$Value), "\n")
    numbers <- lapply(table[c("mean", "sd", "mcse_mean", "mcse_sd")], function(each) sprintf("%.12g", each))
    store(data.frame(variable = gsub(",", ":", table$variable), numbers), folder, paste0(name, ".csv"))
  }
}
