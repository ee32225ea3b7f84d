# Leave-one-out of three models by brms and loo.  Run from the repository root:  Rscript tests/reference/loo.R
# Reads hiermod/data/sets/{cbpp,sleepstudy}.csv; writes tests/reference/{persons,loo}.csv.  Several minutes, most of
# them Stan's compiler.  Priors are hiermod's defaults, written out; `0 + Intercept` states that of the intercept where
# the predictors are 0, brms's own `Intercept` where they stand at their means.
suppressPackageStartupMessages({library(brms); library(loo)})
here <- file.path("tests", "reference")
sets <- file.path("hiermod", "data", "sets")
chains <- 8

cbpp <- read.csv(file.path(sets, "cbpp.csv"), colClasses = c("factor", "numeric", "numeric", "factor"))
sleepstudy <- read.csv(file.path(sets, "sleepstudy.csv"), colClasses = c("numeric", "numeric", "factor"))

# answers of persons to items, in the manner of lme4's VerbAgg
set.seed(1)
persons <- expand.grid(id = sprintf("p%02d", 1:40), item = sprintf("i%02d", 1:12))
persons$anger <- round(rnorm(40, 20, 5))[as.integer(persons$id)]
effect <- -0.3 + 0.06 * (persons$anger - 20) + rnorm(40)[as.integer(persons$id)] + rnorm(12)[as.integer(persons$item)]
persons$yes <- rbinom(nrow(persons), 1, plogis(effect))
persons <- persons[c("id", "item", "anger", "yes")]

store <- function(frame, name) {
  out <- file(file.path(here, name), open = "wb")
  write.table(frame, out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
  close(out)
}
store(persons, "persons.csv")

sample <- function(formula, data, family, prior) brm(
  formula, data, family, prior, chains = chains, cores = 2, iter = 3000, warmup = 1000, seed = 1, refresh = 0,
  control = list(adapt_delta = 0.95), silent = 2
)
student <- set_prior("student_t(3, 0, 1)", class = "b")
fits <- list(
  cbpp = sample(incidence | trials(size) ~ 0 + Intercept + period + (1 | herd), cbpp, binomial(),
    c(student, set_prior("normal(0, 1)", class = "sd"))),
  sleepstudy = sample(Reaction ~ Days + (Days | Subject), sleepstudy, gaussian(), c(
    set_prior("student_t(3, 298.5, 140.4)", class = "Intercept"), set_prior("student_t(3, 0, 48.89)", class = "b"),
    set_prior("normal(0, 56.17)", class = "sd", coef = "Intercept", group = "Subject"),
    set_prior("normal(0, 19.56)", class = "sd", coef = "Days", group = "Subject"),
    set_prior("lkj(2)", class = "cor"), set_prior("exponential(0.0178)", class = "sigma"))),
  persons = sample(yes ~ 1 + anger + (1 | id) + (1 | item), persons, bernoulli(), c(
    set_prior("student_t(3, 0, 1)", class = "Intercept"), set_prior("student_t(3, 0, 0.2)", class = "b"),
    set_prior("normal(0, 1)", class = "sd")))
)

# Observations of a Pareto k above 0.7 are left out by refits.  Monte Carlo errors are those of a mean over chains, of
# all other observations.  `persons` needs no refits, so that it is run with four seeds: its values are means over these
# runs, and the errors those seen between them, which are larger than those seen between chains.
rows <- NULL
for (model in names(fits)) {
  if (model == "persons") {
    runs <- sapply(1:4, function(seed) {
      fit <- if (seed == 1) fits[[model]] else
        update(fits[[model]], seed = seed, chains = chains, cores = 2, iter = 3000, warmup = 1000, refresh = 0,
               recompile = FALSE, control = list(adapt_delta = 0.95), silent = 2)
      found <- loo(fit)
      stopifnot(all(found$diagnostics$pareto_k <= 0.7))
      c(elpd = found$estimates["elpd_loo", "Estimate"], p = found$estimates["p_loo", "Estimate"],
        se = found$estimates["elpd_loo", "SE"])
    })
    rows <- rbind(rows, data.frame(model, quantity = rownames(runs), value = sprintf("%.17g", rowMeans(runs)),
      mcse = sprintf("%.6g", apply(runs, 1, sd) / 2), rows = nrow(persons), refits = 0))
    next
  }
  whole <- loo(fits[[model]], reloo = TRUE, reloo_args = list(cores = 2, refresh = 0))
  density <- log_lik(fits[[model]])
  chain <- rep(seq_len(chains), each = nrow(density) / chains)
  plain <- suppressWarnings(loo(density, r_eff = relative_eff(exp(density), chain_id = chain)))
  good <- plain$diagnostics$pareto_k <= 0.7
  single <- sapply(seq_len(chains), function(own)
    suppressWarnings(loo(density[chain == own, good], r_eff = NA)$estimates[c("elpd_loo", "p_loo"), ]))
  values <- c(elpd = whole$estimates["elpd_loo", "Estimate"], p = whole$estimates["p_loo", "Estimate"],
    se = whole$estimates["elpd_loo", "SE"])
  errors <- apply(single, 1, sd)[c(1, 2, 3)] / sqrt(chains)
  rows <- rbind(rows, data.frame(model, quantity = names(values), value = sprintf("%.17g", values),
    mcse = sprintf("%.6g", errors), rows = ncol(density), refits = sum(!good)))
}
store(rows, "loo.csv")
