# What lme4 and brms make of formulas that hiermod translated for them: columns of
# the design, the groups' columns, the response, offset and weights, on the data
# "complete" of language.R. translations_formulas.csv holds the formulas.
# From the repository root: Rscript tests/reference/translations.R [output folder]

suppressMessages({library(lme4); library(brms); library(splines)})
options(warn = 1, contrasts = c("contr.treatment", "contr.poly"))
folder <- c(commandArgs(TRUE), "tests/reference")[1]
read <- function(name) {
  read.csv(file.path("tests/reference", name), check.names = FALSE, colClasses = NA)
}
data <- read("language_data.csv")
data <- data[data$data == "complete", -1]
levels <- read("language_levels.csv")
for (name in unique(levels$column)) {
  own <- levels[levels$column == name, ]
  present <- intersect(own$level, data[[name]])
  data[[name]] <- factor(data[[name]], present, ordered = own$ordered[1] == "True")
}
data$b <- data$b == "True"
formulas <- read("translations_formulas.csv")

control <- lmerControl()
for (name in grep("^check\\.", names(control$checkControl), value = TRUE))
  control$checkControl[[name]] <- "ignore"
families <- list(gaussian = gaussian(), poisson = poisson(), binomial = binomial(),
                 bernoulli = binomial())

rows <- list()
add <- function(id, target, part, position, values) {
  rows[[length(rows) + 1]] <<- data.frame(
    id = id, target = target, part = part, position = position, row = seq_along(values) - 1L,
    value = sprintf("%.17g", as.numeric(values)))
}
columns <- function(id, target, part, M) {
  M <- as.matrix(M)
  for (k in seq_len(ncol(M))) add(id, target, part, k, M[, k])
}
# lme4's formula, as an argument of its functions: "…, weights = w" is a second one.
lme4_parts <- function(text, family) {
  bars <- grepl("|", text, fixed = TRUE)
  caller <- if (!bars) "model.frame(" else if (family == "gaussian") "lFormula(" else "glFormula("
  rest <- if (!bars) ", data = data)" else
    if (family == "gaussian") ", data = data, control = control)" else
      ", data = data, family = families[[family]], control = glmerControl(check.nobs.vs.nRE = 'ignore'))"
  made <- eval(parse(text = paste0(caller, text, rest)))
  if (!bars) return(list(frame = made, X = model.matrix(attr(made, "terms"), made)))
  list(frame = made$fr, X = made$X, Z = t(as.matrix(made$reTrms$Zt)))
}
brms_families <- list(gaussian = gaussian(), poisson = poisson(), binomial = binomial(),
                      bernoulli = brms::bernoulli())
# brms's columns of a group's effects, spread over its levels.
spread <- function(standata) {
  parts <- list()
  for (name in grep("^Z_[0-9]+_[0-9]+$", names(standata), value = TRUE)) {
    group <- strsplit(name, "_")[[1]][2]
    J <- standata[[paste0("J_", group)]]
    for (level in sort(unique(J))) parts[[length(parts) + 1]] <- standata[[name]] * (J == level)
  }
  if (length(parts)) do.call(cbind, parts)
}

for (line in seq_len(nrow(formulas))) {
  id <- formulas$id[line]
  family <- formulas$family[line]
  text <- formulas$lme4[line]
  if (!startsWith(text, "!")) {
    parts <- lme4_parts(text, family)
    columns(id, "lme4", "X", parts$X)
    if (!is.null(parts$Z)) columns(id, "lme4", "Z", parts$Z)
    y <- model.response(parts$frame)
    columns(id, "lme4", "y", if (is.factor(y)) as.integer(y) - 1L else y)
    if (!is.null(model.offset(parts$frame))) add(id, "lme4", "offset", 1, model.offset(parts$frame))
    if (!is.null(model.weights(parts$frame))) add(id, "lme4", "weights", 1, model.weights(parts$frame))
  }
  text <- formulas$brms[line]
  if (!startsWith(text, "!")) {
    made <- tryCatch(make_standata(as.formula(text), data, family = brms_families[[family]]),
                     error = function(e) { message(text, ": ", conditionMessage(e)); NULL })
    if (is.null(made)) next
    columns(id, "brms", "X", made$X)
    Z <- spread(made)
    if (!is.null(Z)) columns(id, "brms", "Z", Z)
    add(id, "brms", "y", 1, made$Y)
    if (!is.null(made$trials)) add(id, "brms", "trials", 1, rep_len(made$trials, nrow(data)))
    if (!is.null(made$offsets)) add(id, "brms", "offset", 1, made$offsets)
    if (!is.null(made$denom)) add(id, "brms", "rate", 1, made$denom)
    if (!is.null(made$weights)) add(id, "brms", "weights", 1, made$weights)
  }
}
out <- do.call(rbind, rows)
out <- out[out$value != "0", ]
write.csv(out, file.path(folder, "translations.csv"), row.names = FALSE, quote = FALSE)
