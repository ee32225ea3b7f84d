# Posteriors of two public data sets by brms (Stan), with priors that hiermod can be given too; see README.md.
source(file.path("tests", "reference", "posteriors.R"))
run <- function(name, formula, data, family, prior) {
  fit <- brm(formula, data, family, prior, chains = 4, iter = 11000, warmup = 1000, seed = 1, refresh = 0, silent = 2,
             control = list(adapt_delta = 0.95))
  draws <- subset_draws(as_draws_array(fit), variable = c("^b_", "^sd_", "^cor_", "^sigma"), regex = TRUE)
  found <- summarise_draws(draws, mean, sd, median, mcse_mean, mcse_sd, mcse_median, rhat)
  data.frame(model = name, variable = found$variable, lapply(found[-1], function(each) sprintf("%.12g", each)))
}
sleep <- run("sleepstudy", Reaction ~ Days + (Days | Subject), lme4::sleepstudy, gaussian(),
             c(prior(normal(300, 50), class = Intercept), prior(normal(0, 20), class = b), prior(normal(0, 40), class = sd),
               prior(exponential(0.04), class = sigma), prior(lkj(2), class = cor)))
cbpp <- run("cbpp", incidence | trials(size) ~ 0 + Intercept + period + (1 | herd), lme4::cbpp, binomial(),
            c(prior(normal(0, 1), class = b), prior(normal(0, 1), class = sd)))
store(rbind(sleep, cbpp), "brms_public.csv")
