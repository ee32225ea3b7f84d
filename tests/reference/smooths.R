# mgcv's smooths: covariances of their penalised parts, less what is not penalised, and REML curves with standard errors.
# Rscript tests/reference/smooths.R   (seconds; needs mgcv)
suppressPackageStartupMessages(library(mgcv))
set.seed(1)
n <- 200
data <- data.frame(x = round(runif(n) * 10, 3))
data$y <- round(sin(data$x) + 0.3 * rnorm(n), 4)
covariance <- function(random, free) {
  rest <- random - free %*% solve(crossprod(free), crossprod(free, random))
  covariance <- rest %*% t(rest)
  covariance / mean(diag(covariance))
}
random <- function(made) smooth2random(made, "", type = 2)$rand[[1]]
made <- smoothCon(s(x), data, absorb.cons = TRUE)[[1]]
plain <- covariance(random(made), cbind(1, data$x))
fit <- gam(y ~ s(x), data = data, method = "REML")
data$covariance_1 <- plain[, 1]
data$covariance_7 <- plain[, 7]
data$curve <- predict(fit)
data$se <- predict(fit, se.fit = TRUE)$se.fit
write.csv(data, "tests/reference/smooths.csv", row.names = FALSE)
at <- data.frame(x = c(-1, -0.5, 10.5, 11))
new <- predict(fit, at, se.fit = TRUE)
write.csv(data.frame(x = at$x, curve = new$fit, se = new$se.fit), "tests/reference/smooths_outside.csv", row.names = FALSE)

# Curves by a factor and by a number, and P-splines: two columns of each covariance.
set.seed(2)
n <- 120
data <- data.frame(x = round(rbeta(n, 1, 2) * 8, 2), z = round(rnorm(n, 2), 3), f = factor(sample(c("a", "b", "c"), n, TRUE)))
data$y <- round(sin(data$x) * (data$f != "b") + data$z * cos(data$x) / 2 + 0.3 * rnorm(n), 4)
line <- cbind(1, data$x)
found <- data
add <- function(name, covariance, rows = c(1, 7)) {
  found[[paste0(name, "_1")]] <<- covariance[, rows[1]]
  found[[paste0(name, "_7")]] <<- covariance[, rows[2]]
}
levels <- lapply(smoothCon(s(x, by = f, k = 8), data, absorb.cons = TRUE), random)
whole <- Reduce(`+`, levels)
fitted <- line %*% solve(crossprod(line), crossprod(line, whole))
size <- mean(rowSums((whole - fitted)^2))
for (place in 1:3) {
  own <- data$f == c("a", "b", "c")[place]
  rest <- levels[[place]] - fitted * own
  add(paste0("factor_", c("a", "b", "c")[place]), rest %*% t(rest) / size, which(own)[c(1, 7)])
}
numeric <- random(smoothCon(s(x, by = z, k = 8), data, absorb.cons = TRUE)[[1]])
add("number", covariance(numeric, data$z * line))
add("ps", covariance(random(smoothCon(s(x, bs = "ps"), data, absorb.cons = TRUE)[[1]]), line))
first <- random(smoothCon(s(x, bs = "ps", k = 7, m = c(2, 1)), data, absorb.cons = TRUE)[[1]])
add("ps_first", covariance(first, line[, 1, drop = FALSE]))
third <- random(smoothCon(s(x, bs = "ps", k = 9, m = c(1, 3)), data, absorb.cons = TRUE)[[1]])
add("ps_third", covariance(third, cbind(line, data$x^2)))
write.csv(found, "tests/reference/smooths_by.csv", row.names = FALSE)
grid <- rbind(
  expand.grid(x = c(-0.5, 1, 3, 5, 8.5), f = levels(data$f), z = 2),
  expand.grid(x = c(1, 5), f = "a", z = c(0, 3))
)
fits <- list(
  factor = gam(y ~ f + s(x, by = f, k = 8), data = data, method = "REML"),
  number = gam(y ~ s(x, by = z, k = 8), data = data, method = "REML"),
  ps = gam(y ~ s(x, bs = "ps"), data = data, method = "REML")
)
for (name in names(fits)) {
  new <- predict(fits[[name]], grid, se.fit = TRUE)
  grid[[name]] <- new$fit
  grid[[paste0(name, "_se")]] <- new$se.fit
}
write.csv(grid, "tests/reference/smooths_by_curves.csv", row.names = FALSE)
