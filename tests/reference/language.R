# What R makes of a formula: the model matrices of many formulas on four small
# made-up data sets, from base R (common effects) and lme4 (bars).
# From the repository root: Rscript tests/reference/language.R [output folder]

library(splines)
library(lme4)
options(warn = 2, contrasts = c("contr.treatment", "contr.poly"),
        na.action = "na.omit")
RNGversion("4.2.2")
folder <- c(commandArgs(TRUE), "tests/reference")[1]

## Data ----------------------------------------------------------------------
# Every number is rounded, so that its decimal text is the number itself.

orders <- list(f = c("no", "yes"), g = c("blue", "green", "red"),
               o = c("low", "mid", "high"),
               h = c("east", "north", "south", "west"),
               a = c("a1", "a2", "a3", "a4", "a5"), c = c("p", "q", "r", "t"))

make <- function(seed, a, c, x, z, places = 3) {
  set.seed(seed)
  rows <- length(a)
  draw <- function(name, p) sample(orders[[name]], rows, TRUE, p)
  n <- sample(1:12, rows, TRUE)
  data <- data.frame(
    y = round(rnorm(rows, 2, 1.5), 3),
    s = rbinom(rows, n, 0.4), n = n,
    x = round(x(rows), 3), z = round(z(rows), places),
    k = pmin(rpois(rows, 1.4), 4L), i = rbinom(rows, 1, 0.45),
    b = runif(rows) < 0.4,
    f = draw("f", c(5, 3)), g = draw("g", c(3, 4, 2)),
    o = draw("o", c(3, 2, 3)), h = draw("h", c(2, 4, 3, 2)), a = a, c = c,
    `my var` = round(rnorm(rows, -20, 6), 2),
    dot.name = round(rexp(rows, 0.1), 2), check.names = FALSE)
  for (name in names(orders)) {  # only the levels that occur, in the order above
    present <- intersect(orders[[name]], data[[name]])
    data[[name]] <- factor(data[[name]], present, ordered = name == "o")
  }
  data
}
gap <- function(data, name, rows) {
  data[[name]][rows] <- NA
  data
}
pairs <- function(text) {
  word <- strsplit(strsplit(text, " ")[[1]], "[:*]")
  times <- as.integer(sapply(word, `[`, 3))
  list(a = rep(sapply(word, `[`, 1), times), c = rep(sapply(word, `[`, 2), times))
}

even <- pairs("a1:p*4 a1:q*3 a1:r*2 a2:p*3 a2:r*4 a3:p*2 a3:q*5 a3:r*3 a4:q*4 a4:r*2")
thin <- pairs("a1:p*9 a1:q*1 a2:p*6 a3:r*5 a4:q*2 a4:t*2 a5:r*1")
wide <- function(n) rgamma(n, 3, 0.5) + 0.2
around <- function(n) rnorm(n, 0.2, 0.9)

sets <- list(
  complete = make(11, even$a, even$c, wide, around),
  missing = make(12, c(even$a, "a1", "a2", "a3", "a4"), c(even$c, "p", "q", "r", "q"),
                 wide, around),
  nested = make(13, thin$a, thin$c, wide, around),
  numbers = make(14, even$a, even$c, function(n) rnorm(n, 1e4, 3),
                 function(n) rnorm(n, 0, 1e-3), places = 6))

# x has no gaps (poly() refuses them); every "west" row lacks z, so that a
# formula with both loses a level of h.
m <- sets$missing
for (at in list(list("y", c(3, 17)), list("z", c(which(m$h == "west"), 8)),
                list("k", c(5, 22)), list("i", 12), list("b", c(9, 30)),
                list("f", c(2, 25)), list("g", c(14, 33)), list("o", c(6, 28)),
                list("h", 20), list("a", 11), list("c", c(19, 34)),
                list("my var", c(1, 26)), list("dot.name", c(7, 35))))
  m <- gap(m, at[[1]], at[[2]])
sets$missing <- m

## Formulas ------------------------------------------------------------------

common <- c(
  # intercepts and plain columns
  "1", "x", "0 + x", "-1 + x", "x - 1", "x + 0 + 1", "x - 1 + 1", "x + z",
  "`my var`", "dot.name", "`my var`:f", "`my var` * dot.name",
  # coding of factors
  "f", "0 + f", "f - 1", "g + f", "0 + g + f", "0 + x + f", "x + f + g + h",
  "b", "0 + b", "b * f", "b:x", "i", "i:g", "i * b",
  "o", "0 + o", "o * x", "o:f", "o:x", "o + g:o", "z + h",
  # operators
  "x:z", "x * z", "x * f", "x:f", "f:x", "f + f:x", "x + f:x", "f:x + z",
  "f:g", "f * g", "0 + f:g", "g + f:g", "f * g - f", "f * g - g", "f * g - 1",
  "0 + f:x", "0 + f + f:x", "0 + x + x:f", "0 + x * f",
  "f:g + f:h", "f:g + f:h + g:h", "0 + f:g + h",
  "f/x", "f/x - 1", "0 + f/g", "f/g", "g/f", "x/f", "x/z",
  "f/g/x", "(f + g)/x", "f/(x + z)", "a/c", "a:c", "0 + a:c",
  "x %in% f", "f + x %in% f", "f + g %in% f",
  "(x + z):f", "(x + z) * f", "(f + g + h)^2 - f:g", "(f + g + h)^2",
  "(x + z + i)^3", "(x + z + i)**2", "x^2", "(x + f)^2", "x:x + x * x", "f:f",
  "x:f + f:x", "x * z * f - x:z:f", "x + z + x:z - z", "x + z - z", "x - z",
  "f:g:x", "f * g * i", "f * g * h", "f:x + g:x", "f * x + g * x", "f * g + f:g:x",
  # arithmetic and functions
  "I(x^2)", "x + I(x^2)", "I(x * z)", "I((x - 2)/3)", "I(-z) + I(x/2)",
  "I(z > 0)", "z > 0", "log(x)", "log10(x)", "log2(x)", "log1p(x)", "exp(z)", "sqrt(x)",
  "abs(z)", "log(x + 1)", "log(x, base = 2)", "log(x):g", "log(x) * f", "I(x^2):f",
  "sqrt(x) + I(k + 1)",
  # functions of the whole column: they see the rows dropped for other gaps
  "scale(x)", "scale(x, scale = FALSE)", "scale(x, center = FALSE)",
  "scale(z) + scale(x)", "scale(x):f", "poly(x, 2)", "poly(x, 3)", "poly(x, 2) + z",
  "poly(x, 2, raw = TRUE)", "poly(x, 2):f", "poly(x, 2) * f", "poly(log(x), 2)",
  "bs(x, df = 4)", "bs(x, df = 5, degree = 2)", "bs(x)", "bs(z, df = 4) + f",
  "bs(z, knots = 0)", "bs(z, knots = c(-0.0002, 0.0003))", "0 + bs(x, df = 4, intercept = TRUE)",
  "bs(x, df = 4):f", "ns(x, df = 3)", "ns(x, df = 2)", "ns(z, knots = 0) + g", "ns(x, df = 3) * f",
  "cut(x, 3)", "cut(z, 3) + x", "cut(k, c(-1, 0, 2, 100))", "0 + cut(x, 3):z",
  # factors made in the formula
  "factor(i)", "factor(k)", "factor(i):x", "as.factor(g)", "ordered(k)",
  "factor(g, levels = c(\"red\", \"blue\", \"green\"))",
  "relevel(factor(g), ref = \"green\")", "relevel(g, \"red\")", "relevel(g, \"red\") * x",
  "C(g, contr.sum)", "C(g, sum)", "C(g, helmert)", "C(g, treatment)", "C(g, poly)",
  "C(g, contr.treatment, base = 2)", "C(o, treatment)", "0 + C(g, sum)", "C(g, sum) * f",
  "C(g, sum):x",
  # offsets
  "offset(x)", "x + offset(z)", "0 + f + offset(log(x))", "offset(x) + offset(z) + g")

bars <- c(
  "y ~ x + (1 | g)", "y ~ x + (x | h)", "y ~ 1 + (0 + x | h)", "y ~ x + (x - 1 | h)",
  "y ~ x + z + (1 + x + z | h)", "y ~ f + (f | h)", "y ~ 0 + f + (0 + f | h)",
  "y ~ x + (1 | a/c)", "y ~ x + (x | a/c)", "y ~ x + (1 | a:c)",
  "y ~ x + (1 | a) + (0 + x | a)", "y ~ x + (x || h)", "y ~ x + z + (1 + x + z || h)",
  "y ~ f + (f || h)", "y ~ x + (1 | g) + (1 | h)", "y ~ x + (1 | g) + (x || h)",
  "y ~ poly(x, 2) + (poly(x, 2) | h)", "y ~ x + I(x^2) + (I(x^2) | h)",
  "y ~ log(x) + (log(x) | h)", "y ~ scale(x) + (scale(x) | h)", "y ~ x * z + (x:z | h)",
  "y ~ x * f + (x * f | h)", "y ~ x:f + (0 + x:f | h)", "y ~ x + (1 | a/f)",
  "y ~ o + (o | h)", "y ~ factor(i) + (factor(i) | h)", "y ~ i:g + (0 + i:g | h)",
  "y ~ 1 + (1 | f:g)", "y ~ x + (1 | a) + (1 | c:a)", "y ~ b + (b | a)",
  "y ~ f + offset(z) + (1 | g)", "y ~ x + (1 | i)", "y ~ x + (`my var` | g)",
  "y ~ x + (C(g, sum) | h)", "y ~ bs(x, df = 4) + (ns(x, df = 2) | h)",
  "y ~ x + (f/x | h)", "y ~ x + (1 | a/c/f)", "y ~ 0 + g + (1 | h) + (x | a)")

formulas <- rbind(
  data.frame(id = seq_along(common), kind = "common", r = common),
  data.frame(id = 200 + seq_along(bars), kind = "bars", r = bars))

## Matrices ------------------------------------------------------------------

control <- lmerControl()
for (name in grep("^check\\.", names(control$checkControl), value = TRUE))
  control$checkControl[[name]] <- "ignore"

common_parts <- function(text, data) {
  frame <- model.frame(as.formula(paste("~", text)), data, drop.unused.levels = TRUE)
  list(frame = frame, X = model.matrix(attr(frame, "terms"), frame))
}
bars_parts <- function(text, data) {
  made <- lFormula(as.formula(text), data, control = control)
  terms <- made$reTrms
  group <- attr(terms$flist, "assign")
  labels <- lapply(seq_along(group), function(j) {
    level <- levels(terms$flist[[group[j]]])
    term <- terms$cnms[[j]]
    data.frame(block = j, grp = names(terms$flist)[group[j]],
               level = rep(level, each = length(term)), term = rep(term, length(level)))
  })
  list(frame = made$fr, X = made$X, Z = t(as.matrix(terms$Zt)), labels = do.call(rbind, labels))
}
decimal <- function(v) {
  text <- rep(NA_character_, length(v))
  known <- which(!is.na(v))
  text[known] <- sprintf("%.15g", v[known])
  off <- known[as.numeric(text[known]) != v[known]]
  text[off] <- sprintf("%.17g", v[off])
  text
}
entries <- function(key, M, rows) {
  at <- which(M != 0, arr.ind = TRUE)
  if (!nrow(at)) return(NULL)
  data.frame(key, row = rows[at[, 1]], position = at[, 2], value = decimal(M[at]))
}

tables <- list()
add <- function(name, rows) tables[[name]] <<- c(tables[[name]], list(rows))
for (set in names(sets)) for (line in seq_len(nrow(formulas))) {
  data <- sets[[set]]
  id <- formulas$id[line]
  key <- data.frame(data = set, id = id, row.names = NULL)
  parts <- (if (formulas$kind[line] == "bars") bars_parts else common_parts)(
    formulas$r[line], data)
  rows <- as.integer(rownames(parts$frame))
  stopifnot(nrow(parts$X) == length(rows), is.finite(parts$X))
  add("rows", data.frame(key, rows = paste(rows, collapse = " ")))
  add("X", entries(key, parts$X, rows))
  add("X_columns", data.frame(key, position = seq_len(ncol(parts$X)), name = colnames(parts$X)))
  shift <- model.offset(parts$frame)
  if (!is.null(shift)) add("offset", data.frame(key, row = rows, value = decimal(shift)))
  if (!is.null(parts$Z)) {
    stopifnot(dim(parts$Z) == c(length(rows), nrow(parts$labels)))
    add("Z", entries(key, parts$Z, rows))
    add("Z_columns", data.frame(key, position = seq_len(ncol(parts$Z)), parts$labels))
  }
}

## Files ---------------------------------------------------------------------

save <- function(name, table, quoted = character()) {
  write.csv(table, file.path(folder, paste0("language_", name, ".csv")), na = "",
            row.names = FALSE, quote = match(quoted, names(table)))
}
stored <- do.call(rbind, Map(function(name, data) {
  data[] <- lapply(data, function(v) {
    if (is.logical(v)) c("False", "True")[v + 1] else
      if (is.numeric(v)) decimal(v) else as.character(v)
  })
  cbind(data = name, data)
}, names(sets), sets))
save("data", stored)
save("levels", do.call(rbind, lapply(names(orders), function(name) {
  data.frame(column = name, ordered = if (name == "o") "True" else "False",
             position = seq_along(orders[[name]]), level = orders[[name]])
})))
save("formulas", formulas, "r")
text <- list(X_columns = "name", Z_columns = c("grp", "level", "term"))
for (name in names(tables)) save(name, do.call(rbind, tables[[name]]), text[[name]])
