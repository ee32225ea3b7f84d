# One job by one R program in this process: the first fit with its summary; lme4 then fits again.
# Prints the summary, a line ANSWERED, and a line of JSON; writes the draws as doubles into FOLDER/draws.bin.
#
#     Rscript r_peers.R PROGRAM FOLDER RESPONSE COMMON BARS FAMILY PARTS FITS_AGAIN CORES CHAINS DRAWS TUNE
arguments <- commandArgs(trailingOnly = TRUE)
names(arguments) <- c("program", "folder", "response", "common", "bars", "family", "parts", "again", "cores", "chains", "draws",
                      "tune")
number <- function(name) as.integer(arguments[[name]])
program <- arguments[["program"]]
suppressWarnings(suppressMessages(library(program, character.only = TRUE)))

data <- read.csv(file.path(arguments[["folder"]], "data.csv"), stringsAsFactors = TRUE)
priors <- read.csv(file.path(arguments[["folder"]], "priors.csv"), na.strings = character(),
                   colClasses = c(term = "character", group = "character", part = "character"))
formula <- as.formula(paste(arguments[["response"]], "~", arguments[["common"]], "+", arguments[["bars"]]))
gaussian <- arguments[["family"]] == "gaussian"
family <- if (gaussian) gaussian() else binomial()

# Formulas of other parameters than the mean, by their names.
parts <- lapply(trimws(strsplit(arguments[["parts"]], ";")[[1]]), as.formula)
names(parts) <- vapply(parts, function(part) as.character(part[[2]]), "")

# The scale of each coefficient's prior, named as columns of the design are.
coefficient_scales <- function(part = "", common = as.formula(paste("~", arguments[["common"]]))) {
  columns <- model.matrix(common, data)
  term <- attr(terms(common), "term.labels")[attr(columns, "assign")]
  slopes <- priors[priors$kind == "slope" & priors$part == part, ]
  setNames(slopes$scale[match(term, slopes$term)], colnames(columns)[-1])
}

fit_lme4 <- function() {
  suppressWarnings(suppressMessages(if (gaussian) lmer(formula, data) else glmer(formula, data, family)))
}

fit_rstanarm <- function() {
  centre <- priors[priors$kind == "Intercept", ]
  scales <- coefficient_scales()
  stan_glmer(
    formula, data, family,
    prior_intercept = student_t(3, centre$location, centre$scale),
    prior = if (length(scales)) student_t(3, 0, unname(scales)),
    prior_aux = if (gaussian) exponential(1 / priors$scale[priors$kind == "sigma"]),
    prior_covariance = decov(regularization = 2, shape = 1, scale = 1),
    chains = number("chains"), iter = number("draws") + number("tune"), warmup = number("tune"),
    cores = number("cores"), seed = 1, refresh = 0
  )
}

brms_priors_of <- function(part, scales) {
  centre <- priors[priors$kind == "Intercept" & priors$part == part, ]
  student <- function(location, scale) sprintf("student_t(3, %.12g, %.12g)", location, scale)
  chosen <- list(set_prior(student(centre$location, centre$scale), class = "Intercept", dpar = part))
  for (name in names(scales))
    chosen <- c(chosen, list(set_prior(student(0, scales[[name]]), class = "b", coef = name, dpar = part)))
  sds <- priors[priors$kind == "sd" & priors$part == part, ]
  for (row in seq_len(nrow(sds))) {
    coefficient <- if (sds$term[row] == "1") "Intercept" else sds$term[row]
    spread <- sprintf("normal(0, %.12g)", sds$scale[row])
    chosen <- c(chosen, list(set_prior(spread, class = "sd", group = sds$group[row], coef = coefficient, dpar = part)))
  }
  chosen
}

brms_priors <- function() {
  sds <- priors[priors$kind == "sd" & priors$part == "", ]
  chosen <- brms_priors_of("", coefficient_scales())
  for (name in names(parts)) {
    common <- lme4::nobars(parts[[name]])[-2]
    chosen <- c(chosen, brms_priors_of(name, coefficient_scales(name, common)))
  }
  if (gaussian && !"sigma" %in% names(parts)) {
    rate <- 1 / priors$scale[priors$kind == "sigma"]
    chosen <- c(chosen, list(set_prior(sprintf("exponential(%.12g)", rate), class = "sigma")))
  }
  correlated <- any(duplicated(sds$group)) && !grepl("||", arguments[["bars"]], fixed = TRUE)
  if (correlated) chosen <- c(chosen, list(set_prior("lkj(2)", class = "cor")))
  Reduce(`+`, chosen)
}

fit_brms <- function() {
  own <- switch(
    arguments[["family"]], bernoulli = bernoulli(), cumulative = cumulative(),
    zero_inflated_negbinomial = zero_inflated_negbinomial(), family)
  brm(
    do.call(bf, c(list(formula), unname(parts))), data, own, prior = brms_priors(),
    chains = number("chains"), iter = number("draws") + number("tune"), warmup = number("tune"),
    cores = number("cores"), seed = 1, refresh = 0, silent = 2
  )
}

timed <- function() {
  fit <- NULL
  seconds <- system.time(fit <- get(paste0("fit_", program))())[["elapsed"]]
  list(seconds = seconds, fit = fit)
}

# Parameters and group effects; not the log density, nor what is computed from the parameters.
write_draws <- function(fit) {
  draws <- as.array(fit)
  kept <- grep("^(lp__|lprior|log-posterior|mean_PPD)$|_NEW_", dimnames(draws)[[3]], invert = TRUE)
  writeBin(as.double(draws[, , kept]), file.path(arguments[["folder"]], "draws.bin"))
}

# Chains run on all cores at once: how long that takes if they fill them, and at least the longest chain.
sampling_seconds <- function(stan) {
  chains <- rowSums(rstan::get_elapsed_time(stan))
  max(chains, sum(chains) / number("cores"))
}

first <- timed()
print(if (program == "rstanarm") first$fit else summary(first$fit))
cat("\nANSWERED\n")
flush(stdout())
if (program == "lme4") {
  seconds <- vapply(seq_len(number("again")), function(i) timed()$seconds, 0)
  cat(sprintf('{"first": %.4f, "seconds": [%s]}\n', first$seconds, paste(sprintf("%.4f", seconds), collapse = ", ")))
} else {
  stan <- if (program == "brms") first$fit$fit else first$fit$stanfit
  write_draws(first$fit)
  cat(sprintf(
    '{"first": %.4f, "seconds": [%.4f], "sampling": %.4f, "divergences": [%d], "draws": %d}\n', first$seconds,
    first$seconds, sampling_seconds(stan), rstan::get_num_divergent(stan), number("draws")
  ))
}
