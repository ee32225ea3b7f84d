# mgcv's thin plate smooths: the covariance of its penalised part, less straight lines, and a REML curve.
# Rscript tests/reference/smooths.R   (seconds; needs mgcv)
suppressPackageStartupMessages(library(mgcv))
set.seed(1)
n <- 200
data <- data.frame(x = round(runif(n) * 10, 3))
data$y <- round(sin(data$x) + 0.3 * rnorm(n), 4)
made <- smoothCon(s(x), data, absorb.cons = TRUE)[[1]]
random <- smooth2random(made, "", type = 2)$rand[[1]]
lines <- cbind(1, data$x)
rest <- random - lines %*% solve(crossprod(lines), crossprod(lines, random))
covariance <- rest %*% t(rest)
covariance <- covariance / mean(diag(covariance))
fit <- gam(y ~ s(x), data = data, method = "REML")
data$covariance_1 <- covariance[, 1]
data$covariance_7 <- covariance[, 7]
data$curve <- predict(fit)
data$se <- predict(fit, se.fit = TRUE)$se.fit
write.csv(data, "tests/reference/smooths.csv", row.names = FALSE)
at <- data.frame(x = c(-1, -0.5, 10.5, 11))
new <- predict(fit, at, se.fit = TRUE)
write.csv(data.frame(x = at$x, curve = new$fit, se = new$se.fit), "tests/reference/smooths_outside.csv", row.names = FALSE)
