# Curves by brms and by mgcv, of data that mgcv's gamSim makes. Some minutes for each: brms compiles a model.
# Rscript tests/reference/smooths_brms.R plain|factor|ps, from the repository root.
suppressPackageStartupMessages({
  library(mgcv)
  library(brms)
  library(posterior)
})
options(digits = 17)
if (!nzchar(system.file("include", package = "BH"))) rstan::rstan_options(boost_lib = "/usr/include")
name <- commandArgs(TRUE)[1]
save <- function(frame, of) {
  write.csv(frame, sprintf("tests/reference/smooths_brms_%s_%s.csv", name, of), row.names = FALSE, quote = FALSE)
}

set.seed(26)
invisible(capture.output({
  first <- gamSim(1, n = 200, scale = 2)[, c("y", "x0", "x1", "x2")]
  fourth <- gamSim(4, n = 200, scale = 1)[, c("y", "x2", "fac")]
}))
first <- round(first, 4)
fourth[, c("y", "x2")] <- round(fourth[, c("y", "x2")], 4)
fourth$fac <- factor(c("a", "b", "c")[as.integer(fourth$fac)])
models <- list(
  plain = list(data = first, formula = y ~ s(x1) + s(x2), grid = expand.grid(x1 = c(0.2, 0.8), x2 = seq(0.05, 0.95, 0.15))),
  ps = list(data = first, formula = y ~ s(x2, bs = "ps"), grid = data.frame(x2 = seq(0.05, 0.95, 0.15))),
  factor = list(data = fourth, formula = y ~ fac + s(x2, by = fac),
                grid = expand.grid(x2 = seq(0.05, 0.95, 0.15), fac = c("a", "b", "c")))
)
model <- models[[name]]
data <- model$data
save(data, "data")

# hiermod's wiggles have no straight line in them and the mean square 1: brms's have the size that is measured here.
given <- make_standata(model$formula, data)
sizes <- sapply(grep("^Zs_", names(given), value = TRUE), function(one) {
  wiggles <- given[[one]]
  free <- given$Xs[, as.integer(strsplit(one, "_")[[1]][2]), drop = FALSE]
  own <- rowSums(abs(wiggles)) > 0
  fitted <- cbind(own, free) %*% qr.coef(qr(cbind(as.numeric(own), free)), wiggles)
  sqrt(sum((wiggles - fitted)^2) / nrow(wiggles))
})
sd_y <- sqrt(mean((data$y - mean(data$y))^2))
spread <- get_prior(model$formula, data)
coefs <- spread$coef[spread$class == "sds" & spread$coef != ""]
stopifnot(length(coefs) == length(unique(coefs)))
if (name == "factor") {  # whose curves have one basis: its size is that over all rows
  wiggles <- Reduce(`+`, lapply(names(sizes), function(one) given[[one]]))
  line <- cbind(1, data$x2)
  sizes[] <- sqrt(sum((wiggles - line %*% qr.coef(qr(line), wiggles))^2) / nrow(wiggles))
}
priors <- c(
  set_prior("normal(0, 100)", class = "Intercept"), set_prior("normal(0, 100)", class = "b"),
  set_prior(sprintf("exponential(%.15g)", 1 / sd_y), class = "sigma"),
  do.call(c, lapply(seq_along(coefs), function(place) {
    set_prior(sprintf("student_t(3, 0, %.15g)", 2.5 * sd_y / sizes[[min(place, length(sizes))]]), class = "sds",
              coef = coefs[place])
  }))
)
print(coefs)
print(sizes)
fit <- brm(model$formula, data = data, prior = priors, chains = 4, iter = 4000, warmup = 1000, cores = 1, seed = 7,
           refresh = 0, silent = 2, control = list(adapt_delta = 0.98))
cat(name, "divergences:", sum(subset(nuts_params(fit), Parameter == "divergent__")$Value), "\n")
curve <- posterior_linpred(fit, newdata = model$grid)
shaped <- function(values) matrix(values, ncol = 4)  # draws of one chain after the other
found <- cbind(
  model$grid, mean = colMeans(curve), sd = apply(curve, 2, sd),
  mcse_mean = apply(curve, 2, function(values) mcse_mean(shaped(values))),
  mcse_sd = apply(curve, 2, function(values) mcse_sd(shaped(values)))
)
reml <- predict(gam(model$formula, data = data, method = "REML"), model$grid, se.fit = TRUE)
save(cbind(found, mgcv = reml$fit, mgcv_se = reml$se.fit), "curve")
