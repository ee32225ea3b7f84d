# Design matrices as R and lme4 build them, with their column names.
# Run from the repository root:  Rscript tests/reference/modelmatrix.R
# Writes tests/reference/modelmatrix_{data,X,X_columns,Z,Z_columns}.csv.
suppressPackageStartupMessages(library(lme4))
here <- file.path("tests", "reference")
options(contrasts = c("contr.treatment", "contr.poly"))

put <- function(frame, name) {
  for (column in names(frame))
    frame[[column]] <- if (is.double(frame[[column]])) sprintf("%.17g", frame[[column]])
                       else as.character(frame[[column]])
  out <- file(file.path(here, name), open = "wb")
  on.exit(close(out))
  write.table(frame, out, sep = ",", quote = FALSE, row.names = FALSE, eol = "\n")
}

# f, g: text factors, levels met out of alphabetical order, unbalanced cells, none empty.
# h: a third factor, of which not every level meets every level of g.
# x, z numeric; i a 0/1 integer; b logical.
d <- data.frame(
  f = c("trt","ctl","trt","ctl","ctl","trt","ctl","trt","ctl","ctl","trt","ctl","ctl","trt","ctl","trt","ctl","ctl","trt","ctl"),
  g = c("mid","low","low","high","mid","high","mid","mid","low","low","high","mid","low","low","high","mid","mid","low","mid","mid"),
  h = c("q","p","r","p","p","q","q","s","r","p","p","q","r","s","q","p","s","r","q","p"),
  x = c(0.5,-1.25,2,0.75,-0.5,1.5,3.25,-2,0.25,1,-0.75,2.5,0,-1.5,1.75,0.125,-3,2.25,0.625,-0.375),
  z = c(1.5,2,-0.5,0.25,3,-1.75,0.5,1.25,-2.5,0.75,2.75,-1,0.375,1.125,-0.25,2.125,-1.5,0.875,-3.25,1),
  i = c(0L,1L,1L,0L,1L,0L,0L,1L,1L,0L,1L,0L,1L,0L,0L,1L,0L,1L,1L,0L),
  b = c(TRUE,FALSE,TRUE,TRUE,FALSE,FALSE,TRUE,FALSE,TRUE,TRUE,FALSE,TRUE,FALSE,TRUE,FALSE,FALSE,TRUE,FALSE,TRUE,TRUE),
  stringsAsFactors = FALSE)
y <- c(2.5,1,3.5,0.5,1.5,4,2,3,0,1.25,3.75,2.25,0.25,3.25,1.75,2.75,0.75,1.125,3.125,1.875)
put(cbind(y = y, transform(d, b = ifelse(b, "True", "False"))), "modelmatrix_data.csv")
d$y <- y
for (name in c("f", "g", "h")) d[[name]] <- factor(d[[name]], levels = sort(unique(d[[name]]), method = "radix"))

fixed <- c(
  "~ 1", "~ x", "~ 0 + x", "~ f", "~ 0 + f", "~ g", "~ 0 + g", "~ g - 1", "~ x + g", "~ 0 + x + g",
  "~ f + g", "~ 0 + f + g", "~ 0 + g + f", "~ f - 1 + g", "~ x + z", "~ x:z", "~ x*z", "~ x*z - x",
  "~ x*f", "~ f*x", "~ x:f", "~ 0 + x:f", "~ x + x:f", "~ x + f:x", "~ f + f:x", "~ 0 + f + f:x",
  "~ g*x - x", "~ g*x - g", "~ z + f + x:f", "~ x:f + x + f",
  "~ f:g", "~ 0 + f:g", "~ f*g", "~ 0 + f*g", "~ f*g - f:g", "~ f*g - f", "~ f + f:g", "~ g + f:g",
  "~ 0 + g + f:g", "~ g*f", "~ f*g*x", "~ f*g*x - f:g:x", "~ 0 + f*g*x", "~ f:g:x", "~ f + f:g:x", "~ x + f:g:x",
  "~ f*x*z", "~ f:x + f:z", "~ i", "~ f*i", "~ i:f", "~ 0 + i:g",
  "~ b", "~ 0 + b", "~ 0 + b + x", "~ b*x", "~ b:x", "~ b*f", "~ 0 + b:g", "~ b:i",
  "~ (f + x) * g", "~ (f + g + x) - g", "~ f + x - 1", "~ x + 0", "~ -1 + x + f", "~ 1 + f + 1", "~ f + f + x")

X <- columns <- NULL
for (text in fixed) {
  m <- model.matrix(as.formula(text), d)
  columns <- rbind(columns, data.frame(formula = text, position = seq_len(ncol(m)), column = colnames(m),
                                       assign = attr(m, "assign"), rank = qr(m)$rank))
  X <- rbind(X, data.frame(formula = text, row = rep(seq_len(nrow(m)), ncol(m)),
                           column = rep(colnames(m), each = nrow(m)), value = as.vector(m)))
}
put(X, "modelmatrix_X.csv")
put(columns, "modelmatrix_X_columns.csv")

random <- c("(1 | g)", "(x | g)", "(1 + x | g)", "(0 + x | g)", "(x - 1 | g)", "(1 + x + z | g)", "(x:z | g)",
            "(1 + f | g)", "(0 + f | g)", "(f | h)", "(f * x | g)", "(0 + f:x | g)", "(x || g)", "(0 + x || g)",
            "(x + z || g)", "(1 | g) + (0 + x | g)", "(i | g)", "(1 + b | g)", "(0 + b | g)",
            "(1 | g/h)", "(x | g/h)", "(1 | h/g)", "(1 | g:h)", "(1 | h:g)", "(1 + x | g:h)", "(1 | f/g/h)",
            "(1 + x | g) + (1 | h)", "(1 | h) + (1 + x | g)", "(1 | g) + (1 | f)", "(1 | g) + (1 | h) + (1 | g:h)")
free <- lmerControl(check.nobs.vs.nlev = "ignore", check.nobs.vs.nRE = "ignore", check.nobs.vs.rankZ = "ignore",
                    check.nlev.gtr.1 = "ignore", check.nlev.gtreq.5 = "ignore")
Z <- zcolumns <- NULL
for (text in random) {
  re <- lFormula(as.formula(paste("y ~ 1 +", text)), d, control = free)$reTrms
  name <- NULL
  for (block in seq_along(re$cnms)) {
    grp <- names(re$cnms)[block]
    # lme4 numbers repeated names of a grouping factor (g, g.1) only in what it prints
    lev <- levels(re$flist[[attr(re$flist, "assign")[block]]])
    name <- rbind(name, expand.grid(term = re$cnms[[block]], level = lev, block = block, grp = grp,
                                    KEEP.OUT.ATTRS = FALSE, stringsAsFactors = FALSE))
  }
  zt <- as.matrix(re$Zt)
  stopifnot(nrow(zt) == nrow(name), identical(unname(rownames(zt)), name$level))
  zcolumns <- rbind(zcolumns, data.frame(formula = text, position = seq_len(nrow(name)), block = name$block,
                                         grp = name$grp, level = name$level, term = name$term))
  at <- which(zt != 0, arr.ind = TRUE)
  Z <- rbind(Z, data.frame(formula = text, row = unname(at[, 2]), position = unname(at[, 1]), value = zt[at]))
}
put(Z, "modelmatrix_Z.csv")
put(zcolumns, "modelmatrix_Z_columns.csv")
