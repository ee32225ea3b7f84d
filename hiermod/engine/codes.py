"""The numbers by which compiled code knows families and priors."""

from __future__ import annotations

(
    LOGIT, PROBIT, CLOGLOG, POISSON, NEGBINOMIAL, STUDENT_T, GAMMA_LOG, BETA_LOGIT, BETA_PROBIT, BETA_CLOGLOG,
    GAUSSIAN, ONE_TRIAL,
) = range(12)  # fmt: skip
FAMILIES = {
    ("bernoulli", "logit"): LOGIT, ("bernoulli", "probit"): PROBIT, ("bernoulli", "cloglog"): CLOGLOG,
    ("binomial", "logit"): LOGIT, ("binomial", "probit"): PROBIT, ("binomial", "cloglog"): CLOGLOG,
    ("poisson", "log"): POISSON, ("negbinomial", "log"): NEGBINOMIAL, ("student", "identity"): STUDENT_T,
    ("gamma", "log"): GAMMA_LOG, ("beta_binomial", "logit"): BETA_LOGIT, ("beta_binomial", "probit"): BETA_PROBIT,
    ("beta_binomial", "cloglog"): BETA_CLOGLOG, ("gaussian", "identity"): GAUSSIAN,
}  # fmt: skip
CANONICAL = (LOGIT, ONE_TRIAL, POISSON)  # the log likelihood has Σ response · linear predictor
LOG, INTERVAL, SOFT = range(3)  # how single parameters come from the line
NORMAL, STUDENT, LAPLACE, LOGISTIC, UNIFORM, EXPONENTIAL, GAMMA, INVERSE_GAMMA, LOG_NORMAL, BETA = range(10)
PRIORS = {
    "Normal": NORMAL, "StudentT": STUDENT, "Cauchy": STUDENT, "Laplace": LAPLACE, "Logistic": LOGISTIC,
    "Uniform": UNIFORM, "HalfNormal": NORMAL, "HalfStudentT": STUDENT, "HalfCauchy": STUDENT,
    "Exponential": EXPONENTIAL, "Gamma": GAMMA, "InverseGamma": INVERSE_GAMMA, "LogNormal": LOG_NORMAL, "Beta": BETA,
}  # fmt: skip
