# Rates, effects, probabilities and ranks from draws of brms and rstanarm, under hiermod's priors.
# Run from the repository root:  Rscript tests/reference/answers.R     (some minutes: brms compiles three models)
# Reads hiermod/data/sets/{cbpp,sleepstudy,country}.csv and rstanarm's bball1970, which it stores as
# tests/reference/bball1970.csv; writes tests/reference/answers.csv.
suppressPackageStartupMessages({ library(brms); library(posterior) })
here <- file.path("tests", "reference")
sets <- file.path("hiermod", "data", "sets")
options(mc.cores = 1)
chains <- 4
draws <- 4000

mcse_of <- function(x, how) {
  by_chain <- matrix(x, ncol = chains)
  switch(how, mean = mcse_mean(by_chain), lower = mcse_quantile(by_chain, 0.025),
         upper = mcse_quantile(by_chain, 0.975))
}
rows <- list()
keep <- function(data, question, groups, key, x) {
  x <- as.numeric(x)
  rows[[length(rows) + 1]] <<- data.frame(
    data = data, question = question, groups = groups, key = key, estimate = mean(x),
    lower = unname(quantile(x, 0.025)), upper = unname(quantile(x, 0.975)), above_zero = mean(x > 0),
    mcse_estimate = mcse_of(x, "mean"), mcse_lower = mcse_of(x, "lower"), mcse_upper = mcse_of(x, "upper"),
    ess_above_zero = if (all(x > 0) || all(x <= 0)) NA else ess_mean(matrix(as.numeric(x > 0), ncol = chains)))
}
sampled <- function(formula, data, family, priors) {
  brm(formula, data = data, family = family, prior = priors, chains = chains, iter = 1000 + draws, warmup = 1000,
      seed = 1, refresh = 0, control = list(adapt_delta = 0.99))
}
# E[inv_logit(eta + sd Z)] in each draw, by 61-point Gauss-Hermite quadrature of the standard normal
rule <- local({
  n <- 61
  jacobi <- matrix(0, n, n)
  jacobi[cbind(1:(n - 1), 2:n)] <- jacobi[cbind(2:n, 1:(n - 1))] <- sqrt(1:(n - 1))
  found <- eigen(jacobi, symmetric = TRUE)
  list(nodes = found$values, weights = found$vectors[1, ]^2)
})
over_normal <- function(eta, sd) {
  total <- 0 * eta
  for (k in seq_along(rule$nodes)) total <- total + rule$weights[k] * plogis(eta + sd * rule$nodes[k])
  total
}
rate <- function(fit, rows, re = NULL) plogis(posterior_linpred(fit, newdata = rows, re_formula = re))

# --- cbpp ------------------------------------------------------------------------------------------------------------
cbpp <- read.csv(file.path(sets, "cbpp.csv"), colClasses = c("factor", "numeric", "numeric", "factor"))
fit <- sampled(bf(incidence | trials(size) ~ 0 + Intercept + period + (1 | herd)), cbpp, binomial(),
               c(set_prior("student_t(3, 0, 1)", class = "b"), set_prior("normal(0, 1)", class = "sd")))
periods <- levels(cbpp$period)
everyone <- lapply(periods, function(level) transform(cbpp, period = factor(level, levels = periods)))
names(everyone) <- periods
observed <- lapply(everyone, function(frame) drop(rate(fit, frame) %*% (cbpp$size / sum(cbpp$size))))
typical <- lapply(everyone, function(frame) rate(fit, frame[1, ], NA)[, 1])
sd <- as_draws_matrix(fit, "sd_herd__Intercept")[, 1]
population <- lapply(everyone, function(frame)
  over_normal(posterior_linpred(fit, newdata = frame[1, ], re_formula = NA)[, 1], as.numeric(sd)))
for (level in periods) {
  keep("cbpp", "rates", "observed", level, observed[[level]])
  keep("cbpp", "rates", "typical", level, typical[[level]])
  keep("cbpp", "rates", "population", level, population[[level]])
}
for (level in periods[-1]) {
  key <- paste(level, "vs 1")
  keep("cbpp", "difference", "observed", key, observed[[level]] - observed[["1"]])
  keep("cbpp", "difference", "typical", key, typical[[level]] - typical[["1"]])
  keep("cbpp", "difference", "population", key, population[[level]] - population[["1"]])
  keep("cbpp", "link", "typical", key, qlogis(typical[[level]]) - qlogis(typical[["1"]]))
}
# emmeans averages on the link scale without varying effects: the typical herd, here by another road
means <- as.matrix(coda::as.mcmc(emmeans::regrid(emmeans::emmeans(fit, "period"), transform = "response")))
for (place in seq_along(periods)) keep("cbpp", "emmeans", "typical", periods[place], means[, place])

# --- country ---------------------------------------------------------------------------------------------------------
country <- read.csv(file.path(sets, "country.csv"))
counts <- aggregate(cbind(success, n = 1) ~ country + treated, data = country, FUN = sum)
fit <- sampled(bf(success | trials(n) ~ 0 + Intercept + treated + (1 + treated | country)), counts, binomial(),
               c(set_prior("student_t(3, 0, 1)", class = "b"), set_prior("normal(0, 1)", class = "sd"),
                 set_prior("lkj(2)", class = "cor")))
both <- list()
for (place in unique(counts$country)) {
  cell <- lapply(0:1, function(on) rate(fit, data.frame(country = place, treated = on, n = 1))[, 1])
  for (on in 0:1) keep("country", "rates", "observed", paste(place, on), cell[[on + 1]])
  keep("country", "difference", "observed", place, cell[[2]] - cell[[1]])
  keep("country", "link", "observed", place, qlogis(cell[[2]]) - qlogis(cell[[1]]))
  both[[place]] <- cell
}
keep("country", "difference", "observed", "all",
     (both[[1]][[2]] + both[[2]][[2]] - both[[1]][[1]] - both[[2]][[1]]) / 2)
keep("country", "interaction", "observed", "China vs Canada",
     both$China[[2]] - both$China[[1]] - both$Canada[[2]] + both$Canada[[1]])
spread <- as_draws_matrix(fit, c("sd_country__Intercept", "sd_country__treated", "cor_country__Intercept__treated"))
typical <- lapply(0:1, function(on) posterior_linpred(
  fit, newdata = data.frame(country = "Canada", treated = on, n = 1), re_formula = NA)[, 1])
variance <- list(spread[, 1]^2, spread[, 1]^2 + spread[, 2]^2 + 2 * spread[, 3] * spread[, 1] * spread[, 2])
population <- lapply(1:2, function(arm) over_normal(typical[[arm]], sqrt(as.numeric(variance[[arm]]))))
keep("country", "difference", "typical", "all", plogis(typical[[2]]) - plogis(typical[[1]]))
keep("country", "difference", "population", "all", population[[2]] - population[[1]])

# --- sleepstudy ------------------------------------------------------------------------------------------------------
sleepstudy <- read.csv(file.path(sets, "sleepstudy.csv"), colClasses = c("numeric", "numeric", "factor"))
plain_sd <- function(x) sqrt(mean((x - mean(x))^2))
y <- plain_sd(sleepstudy$Reaction)
x <- plain_sd(sleepstudy$Days)
fit <- sampled(bf(Reaction ~ Days + (Days | Subject)), sleepstudy, gaussian(), c(
  set_prior(sprintf("student_t(3, %.17g, %.17g)", mean(sleepstudy$Reaction), 2.5 * y), class = "Intercept"),
  set_prior(sprintf("student_t(3, 0, %.17g)", 2.5 * y / x), class = "b"),
  set_prior(sprintf("normal(0, %.17g)", y), class = "sd", group = "Subject", coef = "Intercept"),
  set_prior(sprintf("normal(0, %.17g)", y / x), class = "sd", group = "Subject", coef = "Days"),
  set_prior("lkj(2)", class = "cor"), set_prior(sprintf("exponential(%.17g)", 1 / y), class = "sigma")))
for (day in c(0, 5, 9)) {
  mean_of <- function(re) rowMeans(posterior_linpred(fit, newdata = transform(sleepstudy, Days = day), re_formula = re))
  keep("sleepstudy", "rates", "observed", day, mean_of(NULL))
  keep("sleepstudy", "rates", "typical", day, mean_of(NA))
}
step <- function(re) rowMeans(posterior_linpred(fit, newdata = transform(sleepstudy, Days = Days + 1), re_formula = re) -
                                posterior_linpred(fit, newdata = sleepstudy, re_formula = re))
keep("sleepstudy", "slopes", "observed", "Days", step(NULL))
keep("sleepstudy", "slopes", "typical", "Days", step(NA))
for (subject in c("308", "335"))
  keep("sleepstudy", "rates", "observed", paste(subject, "9"),
       posterior_linpred(fit, newdata = data.frame(Subject = subject, Days = 9))[, 1])

# --- hitters: the pooling vignette of rstanarm -----------------------------------------------------------------------
hitters <- rstanarm::bball1970[, c("Player", "AB", "Hits")]
fit <- rstanarm::stan_glmer(cbind(Hits, AB - Hits) ~ (1 | Player), data = hitters, family = binomial(),
                            prior_intercept = rstanarm::normal(-1, 1), chains = chains, iter = 1000 + draws,
                            warmup = 1000, seed = 1, refresh = 0, adapt_delta = 0.99)
theta <- rstanarm::posterior_epred(fit)  # rates, a column for each player
place <- t(apply(-theta, 1, rank))
for (player in seq_len(nrow(hitters))) {
  name <- as.character(hitters$Player[player])
  keep("hitters", "rates", "observed", name, theta[, player])
  keep("hitters", "prob_best", "observed", name, place[, player] == 1)
  keep("hitters", "expected_rank", "observed", name, place[, player])
}

digits17 <- function(value) ifelse(is.na(value), "", sprintf("%.17g", value))
put <- function(frame, name) {
  for (column in names(frame)) {
    if (is.double(frame[[column]])) frame[[column]] <- digits17(frame[[column]])
    else frame[[column]] <- as.character(frame[[column]])
  }
  out <- file(file.path(here, name), open = "wb")
  on.exit(close(out))
  write.table(frame, out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
}
put(hitters, "bball1970.csv")
put(do.call(rbind, rows), "answers.csv")
