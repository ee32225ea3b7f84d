# Ordered and unordered categories by brms, with the priors that the tests state, and by ordinal's clmm. Some minutes:
# brms compiles five models. Rscript tests/reference/ordinal.R, from the repository root.
suppressPackageStartupMessages({
  library(brms)
  library(posterior)
  library(ordinal)
})
options(digits = 17)
if (!nzchar(system.file("include", package = "BH"))) rstan::rstan_options(boost_lib = "/usr/include")
folder <- "tests/reference"
save <- function(frame, name) write.csv(frame, file.path(folder, name), row.names = FALSE, quote = FALSE)

data("inhaler", package = "brms")
save(inhaler, "inhaler.csv")

set.seed(41)
people <- data.frame(g = rep(1:25, each = 12), x = round(rnorm(300, 1, 1), 2), arm = rep(c("A", "B"), 150))
shift <- matrix(rnorm(50, 0, 0.6), 25)
eta <- cbind(0, 0.3 + 0.6 * (people$arm == "B") + shift[people$g, 1], -0.4 + 0.5 * people$x + shift[people$g, 2])
people$choice <- c("bus", "car", "walk")[apply(eta, 1, function(row) sample(3, 1, prob = exp(row)))]
save(people, "choices.csv")

priors <- c(set_prior("student_t(3, 0, 2.5)", class = "Intercept"), set_prior("normal(0, 1)", class = "b"),
            set_prior("normal(0, 1)", class = "sd"))
fit_one <- function(family, formula, data, priors) {
  fit <- brm(formula, data = data, family = family, prior = priors, chains = 4, iter = 5000, warmup = 1000,
             cores = 1, seed = 7, refresh = 0, silent = 2, control = list(adapt_delta = 0.95))
  draws <- as_draws_df(fit)
  names <- grep("^(b_|sd_|cor_)", variables(draws), value = TRUE)
  found <- summarise_draws(subset_draws(draws, names), "mean", "sd", "mcse_mean", "mcse_sd")
  as.data.frame(found)
}
ordinal_model <- bf(rating ~ treat + period + carry + (1 | subject))
tables <- list()
for (name in c("cumulative", "sratio", "cratio", "acat")) {
  link <- c(cumulative = "logit", sratio = "probit", cratio = "cloglog", acat = "logit")[[name]]
  found <- fit_one(brmsfamily(name, link), ordinal_model, inhaler, priors)
  tables[[name]] <- cbind(family = paste0(name, "(", link, ")"), found)
}
save(do.call(rbind, tables), "ordinal_brms.csv")

of <- function(...) c(set_prior("student_t(3, 0, 2.5)", class = "Intercept", ...), set_prior("normal(0, 1)", class = "b", ...),
                      set_prior("normal(0, 1)", class = "sd", ...))
both <- c(of(dpar = "mucar"), of(dpar = "muwalk"), set_prior("lkj(2)", class = "cor"))
found <- fit_one(categorical(refcat = "bus"), bf(choice ~ arm + x + (1 | p | g)), people, both)
save(cbind(family = "categorical", found), "categorical_brms.csv")

inhaler$rating <- factor(inhaler$rating, ordered = TRUE)
inhaler$subject <- factor(inhaler$subject)
frequentist <- clmm(rating ~ treat + period + carry + (1 | subject), data = inhaler, nAGQ = 15)
coefficients <- summary(frequentist)$coefficients
save(data.frame(term = c(rownames(coefficients), "sd"), estimate = c(coefficients[, 1], frequentist$ST[[1]][1]),
                se = c(coefficients[, 2], NA)), "ordinal_clmm.csv")
