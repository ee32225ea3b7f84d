"""The classes that a user holds, and the functions that make several fits.

`fit` has `Fit` and `Model`; what is asked of them stands by subject in `questions`, `parameters` and `scores`.
`prior_draws` has `PriorDraws`, `imputed` several fits as one, `stored` fits in files, `plots` what ``.plot`` gives. A
method reads its arguments into one object and asks the room below; `arguments` describes those that methods share.
`comparison` is `hiermod.compare`; `planning` is `hiermod.plan`, with the `scenarios` it simulates and `plan_runs`;
`foreign` takes fits from Bambi.
"""
