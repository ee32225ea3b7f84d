# What R, lme4, glmmTMB and brms make of spellings of their own: the response, the
# columns of the design and of groups' effects, whether these are correlated, offsets
# and weights, on the data "complete" of language.R. spellings_formulas.csv holds them.
# From the repository root: Rscript tests/reference/spellings.R [output folder]

suppressMessages({library(lme4); library(glmmTMB); library(brms); library(splines)})
options(warn = 1, contrasts = c("contr.treatment", "contr.poly"))
folder <- c(commandArgs(TRUE), "tests/reference")[1]
read <- function(name) read.csv(file.path("tests/reference", name), check.names = FALSE)
data <- read("language_data.csv")
data <- data[data$data == "complete", -1]
levels <- read("language_levels.csv")
for (name in unique(levels$column)) {
  own <- levels[levels$column == name, ]
  present <- intersect(own$level, data[[name]])
  data[[name]] <- factor(data[[name]], present, ordered = own$ordered[1] == "True")
}
data$b <- data$b == "True"
formulas <- read("spellings_formulas.csv")

rows <- list()
add <- function(id, part, position, values) {
  rows[[length(rows) + 1]] <<- data.frame(
    id = id, part = part, position = position, row = seq_along(values) - 1L,
    value = sprintf("%.17g", as.numeric(values)))
}
columns <- function(id, part, M) {
  M <- as.matrix(M)
  for (k in seq_len(ncol(M))) add(id, part, k, M[, k])
}
# glm takes all levels of a factor but the first for successes.
outcome <- function(id, y) add(id, "y", 1, if (is.factor(y)) y != levels(y)[1] else y)
by_level <- function(Z, J) {
  do.call(cbind, lapply(sort(unique(J)), function(level) Z * (J == level)))
}
homes <- list(
  r = function(id, formula, family) {
    frame <- model.frame(formula, data)
    columns(id, "X", model.matrix(attr(frame, "terms"), frame))
    outcome(id, model.response(frame))
  },
  lme4 = function(id, formula, family) {
    made <- if (family == "gaussian") {
      lFormula(formula, data, control = lmerControl(check.nobs.vs.nRE = "ignore"))
    } else glFormula(formula, data, family = binomial())
    columns(id, "X", made$X)
    columns(id, "Z", t(as.matrix(made$reTrms$Zt)))
    outcome(id, model.response(made$fr))
  },
  glmmTMB = function(id, formula, family) {
    made <- glmmTMB(formula, data, doFit = FALSE)
    columns(id, "X", made$data.tmb$X)
    columns(id, "Z", as.matrix(made$data.tmb$Z))
    add(id, "y", 1, made$data.tmb$yobs)
    struct <- sapply(made$condReStruc, function(s) names(s$blockCode))
    add(id, "correlated", 1, struct == "us" & sapply(made$condReStruc, `[[`, "blockSize") > 1)
  },
  brms = function(id, formula, family) {
    families <- list(gaussian = gaussian(), poisson = poisson(), bernoulli = brms::bernoulli())
    made <- make_standata(formula, data, family = families[[family]])
    columns(id, "X", made$X)
    groups <- grep("^J_[0-9]+$", names(made), value = TRUE)
    parts <- lapply(groups, function(J) {
      own <- grep(paste0("^Z_", sub("J_", "", J), "_[0-9]+$"), names(made), value = TRUE)
      do.call(cbind, lapply(own, function(Z) by_level(made[[Z]], made[[J]])))
    })
    if (length(parts)) {
      columns(id, "Z", do.call(cbind, parts))
      add(id, "correlated", 1, sapply(groups, function(J) {
        count <- made[[sub("J_", "NC_", J)]]
        !is.null(count) && count > 0
      }))
    }
    add(id, "y", 1, made$Y)
    if (!is.null(made$denom)) add(id, "rate", 1, made$denom)
    if (!is.null(made$weights)) add(id, "weights", 1, made$weights)
  })

for (line in seq_len(nrow(formulas))) {
  with(formulas[line, ], homes[[home]](id, as.formula(formula), family))
}
out <- do.call(rbind, rows)
write.csv(out[out$value != "0", ], file.path(folder, "spellings.csv"), row.names = FALSE, quote = FALSE)
