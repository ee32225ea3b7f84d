# The beta-binomial in Stan, by rstan: CPU seconds of compilation with a first run, and of later runs, chains in processes
# of their own included; and how good draws are.
arguments <- commandArgs(trailingOnly = TRUE)
frame <- read.csv(arguments[1])
draws <- as.integer(arguments[2])
warmup <- as.integer(arguments[3])
suppressMessages(library(rstan))
options(mc.cores = 1)
code <- "
data { int<lower=1> k; int<lower=0> n[k]; int<lower=0> s[k]; }
parameters { real<lower=0, upper=1> centre; real<lower=0> spread; }
transformed parameters { real a = centre / square(spread); real b = (1 - centre) / square(spread); }
model { s ~ beta_binomial(n, a, b); }
generated quantities { real theta[k]; for (i in 1:k) theta[i] = beta_rng(a + s[i], b + n[i] - s[i]); }
"
given <- list(k = nrow(frame), n = frame$n, s = frame$s)
run <- function(model) sampling(model, data = given, chains = 4, iter = warmup + draws, warmup = warmup, seed = 1, refresh = 0)
cpu <- function(expression) sum(system.time(expression)[c("user.self", "sys.self", "user.child", "sys.child")])
system_boost <- if (dir.exists("/usr/include/boost")) "/usr/include" else NULL  # Debian's package BH has no headers
first <- cpu({
  model <- stan_model(model_code = code, boost_lib = system_boost)
  fit <- suppressWarnings(run(model))
})
seconds <- min(replicate(3, cpu(fit <- suppressWarnings(run(model)))))
table <- as.data.frame(monitor(as.array(fit), warmup = 0, print = FALSE))
table <- table[!rownames(table) %in% c("lp__", "a", "b"), ]
cat(sprintf('{"first": %f, "seconds": %f, "ess": %f, "rhat": %f}\n', first, seconds, min(table$Bulk_ESS), max(table$Rhat)))
