# Ratios, variances, two stages and replicate weights of mobi_survey_data.csv.
# Run in tests/reference: Rscript scripts/mobi_survey_design.R > mobi_survey_design.json
# It writes mobi_survey_replicates.csv, too: the weights of the replicates, side by side, named
# <design>.<replicate>. R 4.2.2, survey 4.1-1.
suppressMessages({library(survey); library(jsonlite)})
d <- read.csv("mobi_survey_data.csv")
d$one <- 1
# Persons in households of about two within psus; so many households and persons in each psu.
place <- ave(seq_len(nrow(d)), d$stratum, d$psu, FUN = seq_along)
d$house <- ceiling(place / 2)
d$houses <- ave(d$house, d$stratum, d$psu, FUN = max) * 3
d$persons <- ave(place, d$stratum, d$psu, FUN = length) * 2
designs <- list(
  weights_only = svydesign(~1, weights = ~weight, data = d),
  strata_only = svydesign(~1, strata = ~stratum, weights = ~weight, data = d),
  clusters_only = svydesign(~psu, weights = ~weight, data = d),
  full = svydesign(~psu, strata = ~stratum, weights = ~weight, data = d, nest = TRUE),
  full_fpc = svydesign(~psu, strata = ~stratum, weights = ~weight, fpc = ~fpc, data = d, nest = TRUE),
  brr_design = svydesign(~psu2, strata = ~stratum2, weights = ~weight, data = d, nest = TRUE),
  two_stages = svydesign(~psu + id, strata = ~stratum, weights = ~weight, fpc = ~fpc + persons,
                         data = d, nest = TRUE),
  households = svydesign(~psu + house, strata = ~stratum, weights = ~weight, fpc = ~fpc + houses,
                         data = d, nest = TRUE),
  households_all = svydesign(~psu + house, weights = ~weight, strata = ~stratum, data = d,
                             nest = TRUE)
)
regression <- function(model) list(coef = as.numeric(coef(model)), se = as.numeric(SE(model)))
tight <- list(epsilon = 1e-15, maxit = 100)
estimates <- function(design, logit = TRUE) {
  m <- svymean(~index + CUSA1 + CUSL1, design)
  r <- svyratio(~CUSL1, ~CUSA1, design)
  b <- svyby(~index, ~region, design, svymean, covmat = TRUE)
  k <- svycontrast(b, c(E = 0, N = 1, S = -1))
  v <- svyvar(~index, design)
  q <- svyby(~CUSL1, ~region, design, svyratio, denominator = ~CUSA1)
  list(
    degf = degf(design),
    mean = list(names = names(coef(m)), estimate = as.numeric(coef(m)), se = as.numeric(SE(m)),
                vcov = unname(as.matrix(vcov(m)))),
    ratio = list(estimate = as.numeric(coef(r)), se = as.numeric(SE(r))),
    by_region = list(region = as.character(b$region), mean = as.numeric(coef(b)),
                     se = as.numeric(SE(b))),
    contrast = list(estimate = as.numeric(coef(k)), se = as.numeric(SE(k))),
    ratio_by_region = list(estimate = as.numeric(coef(q)), se = as.numeric(SE(q))),
    ols = regression(svyglm(rep01 ~ index, design = design)),
    controls = regression(svyglm(rep01 ~ index + CUSCO + sex, design = design)),
    quasibinomial = regression(svyglm(rep01 ~ index, design = design, family = quasibinomial(),
                                      control = tight)),
    variance = list(estimate = as.numeric(coef(v)), se = as.numeric(SE(v))))
}
set.seed(27182)
half <- designs$brr_design
full <- designs$full
given <- list(
  jk1 = as.svrepdesign(designs$clusters_only, type = "JK1"),
  jkn = as.svrepdesign(full, type = "JKn"),
  jkn_fpc = as.svrepdesign(designs$full_fpc, type = "JKn"),
  jkn_mse = as.svrepdesign(full, type = "JKn", mse = TRUE),
  brr = as.svrepdesign(half, type = "BRR"),
  brr_mse = as.svrepdesign(half, type = "BRR", mse = TRUE),
  fay = as.svrepdesign(half, type = "Fay", fay.rho = .5),
  rescaled = as.svrepdesign(full, type = "subbootstrap", replicates = 30),
  canty = as.svrepdesign(full, type = "bootstrap", replicates = 30),
  mrb = as.svrepdesign(designs$full_fpc, type = "mrbbootstrap", replicates = 30)
)
columns <- lapply(names(given), function(name) {
  w <- as.matrix(weights(given[[name]], type = "analysis"))
  colnames(w) <- paste0(name, ".", seq_len(ncol(w)))
  w
})
digits <- function(w) format(w, digits = 7, trim = TRUE, scientific = FALSE)
last <- length(columns)
write.csv(cbind(digits(do.call(cbind, columns[-last])), digits(columns[[last]])),
          "mobi_survey_replicates.csv", row.names = FALSE, quote = FALSE)
# Read back, so that the weights are those of the file to the last digit.
saved <- read.csv("mobi_survey_replicates.csv", check.names = FALSE)
replicates <- lapply(names(given), function(name) {
  g <- given[[name]]
  own <- as.matrix(saved[startsWith(names(saved), paste0(name, "."))])
  again <- svrepdesign(
    data = d, weights = ~weight, repweights = own, combined.weights = TRUE, mse = g$mse,
    type = "other", scale = g$scale, rscales = g$rscales)
  c(list(type = g$type, scale = g$scale, rscales = g$rscales, mse = g$mse, n = ncol(own)),
    estimates(again))
})
names(replicates) <- names(given)
cat(toJSON(list(
  versions = list(R = R.version.string, survey = as.character(packageVersion("survey"))),
  script = "scripts/mobi_survey_design.R",
  data = list(file = "mobi_survey_data.csv", house = d$house, houses = d$houses,
              persons = d$persons),
  linearised = lapply(designs, estimates), replicates = replicates),
  auto_unbox = TRUE, digits = 15))
