# Posteriors of two public data sets by brms (Stan), with priors that hiermod can be given too; see README.md.
suppressMessages(library(brms))
options(mc.cores = 1)
run <- function(name, formula, data, family, prior) {
  fit <- brm(formula, data, family, prior = prior, chains = 4, iter = 11000, warmup = 1000, seed = 1, refresh = 0,
             control = list(adapt_delta = 0.95))
  draws <- posterior::subset_draws(posterior::as_draws_array(fit), variable = c("^b_", "^sd_", "^cor_", "^sigma"), regex = TRUE)
  found <- posterior::summarise_draws(draws, "mean", "sd", "median", posterior::mcse_mean, posterior::mcse_sd,
                                      posterior::mcse_median, posterior::rhat)
  cbind(model = name, as.data.frame(found))
}
sleep <- run("sleepstudy", Reaction ~ Days + (Days | Subject), lme4::sleepstudy, gaussian(),
             c(prior(normal(300, 50), class = Intercept), prior(normal(0, 20), class = b), prior(normal(0, 40), class = sd),
               prior(exponential(0.04), class = sigma), prior(lkj(2), class = cor)))
cbpp <- run("cbpp", incidence | trials(size) ~ 0 + Intercept + period + (1 | herd), lme4::cbpp, binomial(),
            c(prior(normal(0, 1), class = b), prior(normal(0, 1), class = sd)))
write.csv(rbind(sleep, cbpp), "tests/reference/brms_public.csv", row.names = FALSE)
