# Reference fits with lme4.  Run from the repository root:  Rscript tests/reference/lme4.R
# Reads hiermod/data/sets/{cbpp,sleepstudy}.csv and lme4's grouseticks; writes
# tests/reference/lme4_*.csv and tests/reference/grouseticks.csv.
suppressPackageStartupMessages(library(lme4))
here <- file.path("tests", "reference")
sets <- file.path("hiermod", "data", "sets")

digits17 <- function(value) ifelse(is.na(value), "", sprintf("%.17g", value))
put <- function(frame, name) {
  for (column in names(frame)) {
    if (is.double(frame[[column]])) frame[[column]] <- digits17(frame[[column]])
    else {
      text <- as.character(frame[[column]])
      frame[[column]] <- ifelse(is.na(text), "", text)
    }
  }
  out <- file(file.path(here, name), open = "wb")
  on.exit(close(out))
  write.table(frame, out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
}

cbpp <- read.csv(file.path(sets, "cbpp.csv"), colClasses = c("factor", "numeric", "numeric", "factor"))
cbpp$herd <- factor(cbpp$herd, levels = unique(as.character(cbpp$herd)))
sleepstudy <- read.csv(file.path(sets, "sleepstudy.csv"), colClasses = c("numeric", "numeric", "factor"))
stopifnot(identical(cbpp$incidence, lme4::cbpp$incidence), identical(cbpp$size, lme4::cbpp$size),
          identical(sleepstudy$Reaction, lme4::sleepstudy$Reaction))

# one row per animal: the sick of a line of cbpp first, then the healthy
each <- rep(seq_len(nrow(cbpp)), cbpp$size)
cbpp_rows <- data.frame(herd = cbpp$herd[each], period = cbpp$period[each],
                        sick = unlist(Map(function(k, n) rep(c(1, 0), c(k, n - k)),
                                          cbpp$incidence, cbpp$size)))

ticks <- lme4::grouseticks
put(data.frame(INDEX = as.character(ticks$INDEX), TICKS = as.integer(ticks$TICKS),
               BROOD = ticks$BROOD, HEIGHT = as.integer(ticks$HEIGHT), YEAR = ticks$YEAR,
               LOCATION = ticks$LOCATION, cHEIGHT = ticks$cHEIGHT), "grouseticks.csv")

# tighter stopping rules than the defaults, so that the digits are the model's and not the optimiser's
gctl <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-12,
                     optCtrl = list(rhoend = 1e-9, maxfun = 100000))
lctl <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 100000))

fits <- list(
  cbpp = glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial, control = gctl),
  cbpp_rows = glmer(sick ~ period + (1 | herd), cbpp_rows, binomial, control = gctl),
  cbpp_agq25 = glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial,
                     control = gctl, nAGQ = 25L),
  sleepstudy_reml = lmer(Reaction ~ Days + (Days | Subject), sleepstudy, control = lctl),
  sleepstudy_ml = lmer(Reaction ~ Days + (Days | Subject), sleepstudy, control = lctl, REML = FALSE),
  sleepstudy_nocor_reml = lmer(Reaction ~ Days + (Days || Subject), sleepstudy, control = lctl),
  sleepstudy_nocor_ml = lmer(Reaction ~ Days + (Days || Subject), sleepstudy, control = lctl, REML = FALSE),
  sleepstudy_square_reml = lmer(Reaction ~ Days + I(Days^2) + (Days | Subject), sleepstudy, control = lctl),
  grouseticks = glmer(TICKS ~ YEAR + cHEIGHT + (1 | BROOD) + (1 | LOCATION), ticks, poisson, control = gctl)
)

models <- fixed <- fixedcov <- vc <- re <- co <- fit <- NULL
for (model in names(fits)) {
  m <- fits[[model]]
  models <- rbind(models, data.frame(
    model = model,
    formula = paste0('"', sub("((1 | Subject) + (0 + Days | Subject))", "(Days || Subject)", fixed = TRUE,
                             paste(deparse(formula(m), width.cutoff = 500), collapse = " ")), '"'),
    family = family(m)$family, link = family(m)$link,
    method = if (isLMM(m)) (if (isREML(m)) "REML" else "ML")
             else if (model == "cbpp_agq25") "AGQ25" else "Laplace",
    gradient = max(abs(m@optinfo$derivs$gradient)),
    singular = isSingular(m)))
  fixed <- rbind(fixed, data.frame(model = model, term = names(fixef(m)), estimate = unname(fixef(m)),
                                   se = unname(sqrt(diag(as.matrix(vcov(m)))))))
  v <- as.matrix(vcov(m))
  fixedcov <- rbind(fixedcov, data.frame(model = model, term1 = rep(rownames(v), ncol(v)),
                                         term2 = rep(colnames(v), each = nrow(v)), value = as.vector(v)))
  vc <- rbind(vc, cbind(model = model, as.data.frame(VarCorr(m))))
  r <- as.data.frame(ranef(m, condVar = TRUE))
  re <- rbind(re, data.frame(model = model, grp = r$grpvar, level = as.character(r$grp),
                             term = as.character(r$term), value = r$condval, condsd = r$condsd))
  cf <- coef(m)
  for (grp in names(cf)) for (term in names(cf[[grp]]))
    co <- rbind(co, data.frame(model = model, grp = grp, level = rownames(cf[[grp]]), term = term,
                               value = cf[[grp]][[term]]))
  q <- c(logLik = as.numeric(logLik(m)), df = attr(logLik(m), "df"), nobs = nobs(m),
         AIC = AIC(m), BIC = BIC(m))
  if (isLMM(m) && isREML(m)) q <- c(q, REMLcrit = unname(REMLcrit(m)))
  if (isLMM(m)) q <- c(q, sigma = sigma(m))
  fit <- rbind(fit, data.frame(model = model, quantity = names(q), value = unname(q)))
}
print(models[, c("model", "method", "gradient", "singular")])
models$singular <- as.integer(models$singular)
models$gradient <- NULL
put(models, "lme4_models.csv")
put(fixed, "lme4_fixef.csv")
put(fixedcov, "lme4_vcov.csv")
put(vc, "lme4_varcorr.csv")
put(re, "lme4_ranef.csv")
put(co, "lme4_coef.csv")
put(fit, "lme4_fit.csv")
