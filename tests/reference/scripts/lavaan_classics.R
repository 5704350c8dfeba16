# Run in this folder: Rscript lavaan_classics.R
# Examples of lavaan's manual. The file holds moments of the data sets in lavaan, not the rows.
suppressMessages(library(lavaan)); library(jsonlite)
# lavaan stops on the relative change of the function and leaves derivatives near 1e-6, which moves
# estimates by up to 6e-4 where the function is flat; no control makes it go on (a rel.tol of 1e-14
# ends with "singular convergence"). Newton steps with its own gradient and Hessian, within its
# equality constraints, lead from there to derivatives of 1e-13.
polished <- function(model, data, ...) {
  fit <- suppressWarnings(sem(model, data, ...))
  stopifnot(lavInspect(fit, "converged"))
  K <- if (fit@Model@eq.constraints) fit@Model@eq.constraints.K else diag(length(coef(fit)))
  slope <- function(fit) as.numeric(t(K) %*% as.numeric(lavTech(fit, "gradient")))
  for (step in 1:6) {
    curvature <- t(K) %*% lavTech(fit, "hessian") %*% K
    table <- parTable(fit)
    free <- table$free > 0
    table$est[free] <- table$est[free] - as.numeric(K %*% solve(curvature, slope(fit)))[table$free[free]]
    table$start <- NULL
    capture.output(fit <- suppressWarnings(sem(model, data, ..., start = table, optim.method = "none", fixed.x = TRUE)))
  }
  stopifnot(max(abs(slope(fit))) < 1e-12)
  fit
}
result <- function(fit) {
  e <- parameterEstimates(fit)
  e <- e[e$op != "==", ]
  if (is.null(e$group)) e$group <- 1
  list(chisq = fit@test[[1]]$stat, df = fit@test[[1]]$df,
       estimates = list(lhs = e$lhs, op = e$op, rhs = e$rhs, group = e$group, est = e$est, se = e$se))
}
moments <- function(data) list(n = nrow(data), items = names(data), mean = unname(colMeans(data)), cov = unname(cov(data)))
hs <- HolzingerSwineford1939
hs$female <- as.numeric(hs$sex == 2); hs$pasteur <- as.numeric(hs$school == "Pasteur")
columns <- c(paste0("x", 1:9), "female", "ageyr", "pasteur")
schools <- split(hs[, columns], hs$school)
data <- list(
  hs = moments(hs[, columns]),
  schools = list(Pasteur = moments(schools$Pasteur[, setdiff(columns, "pasteur")]),
                 "Grant-White" = moments(schools[["Grant-White"]][, setdiff(columns, "pasteur")])),
  democracy = moments(PoliticalDemocracy), growth = moments(Demo.growth))
factors <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\n"
democracy <- "ind60 =~ x1 + x2 + x3
dem60 =~ y1 + y2 + y3 + y4
dem65 =~ y5 + y6 + y7 + y8
dem60 ~ ind60
dem65 ~ ind60 + dem60
y1 ~~ y5
y2 ~~ y4 + y6
y3 ~~ y7
y4 ~~ y8
y6 ~~ y8"
equal <- sub("y1 \\+ y2 \\+ y3 \\+ y4", "y1 + a*y2 + b*y3 + c*y4", sub("y5 \\+ y6 \\+ y7 \\+ y8", "y5 + a*y6 + b*y7 + c*y8", democracy))
bifactor <- "g =~ x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9
visual =~ x1 + x2 + x3
textual =~ x4 + x5 + x6
speed =~ x7 + x8 + x9
g ~~ 0*visual + 0*textual + 0*speed
visual ~~ 0*textual + 0*speed
textual ~~ 0*speed"
loaded <- function(text) gsub("=~ x", "=~ NA*x", text)
unit <- "\ng ~~ 1*g\nvisual ~~ 1*visual\ntextual ~~ 1*textual\nspeed ~~ 1*speed"
line <- "i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4\ns =~ 0*t1 + 1*t2 + 2*t3 + 3*t4\n"
means <- "t1 ~ 0*1\nt2 ~ 0*1\nt3 ~ 0*1\nt4 ~ 0*1\ni ~ 1\ns ~ 1"
cases <- list(
  cfa = list("hs", factors),
  tau = list("hs", "f =~ a*x1 + a*x2 + a*x3 + a*x9"),
  tau_free = list("hs", "f =~ NA*x1 + a*x1 + a*x2 + a*x3 + a*x9\nf ~~ 1*f"),
  parallel = list("hs", "f =~ a*x1 + a*x2 + a*x3 + a*x9\nx1 ~~ e*x1\nx2 ~~ e*x2\nx3 ~~ e*x3\nx9 ~~ e*x9"),
  democracy = list("democracy", democracy),
  democracy_equal = list("democracy", equal),
  democracy_defined = list("democracy", sub("dem65 ~ ind60 \\+ dem60", "dem65 ~ p*ind60 + q*dem60\ndirect := p\nratio := p/q", democracy)),
  mimic = list("hs", "visual =~ x1 + x2 + x3 + x9\nvisual ~ female + ageyr + pasteur"),
  mimic_means = list("hs", "visual =~ x1 + x2 + x3\nvisual ~ female + ageyr", TRUE),
  mimic_two = list("hs", "visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9\nvisual ~ female + ageyr\nspeed ~ female + ageyr\nvisual ~~ speed"),
  path = list("democracy", "y1 ~ x1 + x2\ny5 ~ y1 + x1\ny8 ~ y5 + x2"),
  path_means = list("democracy", "y1 ~ x1 + x2\ny5 ~ y1 + x1\ny8 ~ y5 + x2", TRUE),
  path_two = list("democracy", "y1 ~ x1 + x2\ny5 ~ y1 + x1\ny6 ~ y1\ny5 ~~ y6"),
  path_intercept = list("democracy", "y1 ~ 1 + x1\ny5 ~ k*1 + y1 + x2\nm := 2*k", TRUE),
  path_fixed = list("democracy", "y1 ~ 0*x1 + x2\ny5 ~ start(0.2)*y1 + 0.5*x2"),
  mediation = list("democracy", "y5 ~ c*x1 + b*y1\ny1 ~ a*x1\nindirect := a*b\ntotal := c + a*b"),
  mediation_two = list("democracy", "y8 ~ c*x1 + b1*y1 + b2*y2\ny1 ~ a1*x1\ny2 ~ a2*x1\ny1 ~~ y2\nindirect := a1*b1 + a2*b2\ncontrast := a1*b1 - a2*b2"),
  observed_outcome = list("democracy", "ind60 =~ x1 + x2 + x3\ny1 ~ ind60\ny5 ~ y1 + ind60"),
  cross = list("hs", sub("x3", "x3 + x9", factors)),
  bifactor = list("hs", paste0(loaded(bifactor), unit)),
  bifactor_outcome = list("hs", paste0(loaded(bifactor), unit, "\nageyr ~ g")),
  growth = list("growth", paste0(line, means), TRUE),
  growth_predicted = list("growth", paste0(line, means, "\ni ~ x1 + x2\ns ~ x1 + x2\ni ~~ s"), TRUE))
out <- list(provenance = "lavaan 0.6-14, R 4.2.2: sem on HolzingerSwineford1939, PoliticalDemocracy and Demo.growth of that package, of which only sample sizes, means and covariances (denominator n - 1) are kept; lavaan's solution, then Newton steps with its gradient and Hessian; script scripts/lavaan_classics.R", moments = data)
frames <- list(hs = hs[, columns], democracy = PoliticalDemocracy, growth = Demo.growth)
for (name in names(cases)) {
  one <- cases[[name]]
  fit <- polished(one[[2]], frames[[one[[1]]]], meanstructure = length(one) > 2)
  out$cases[[name]] <- c(list(data = one[[1]], text = one[[2]], means = length(one) > 2), result(fit))
}
mimic <- "visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9\nspeed ~ visual\nx4 ~ visual + speed\nvisual ~ female"
for (equal in list("none", "loadings", c("loadings", "intercepts"), c("loadings", "intercepts", "means"),
                   c("loadings", "intercepts", "residuals"), c("loadings", "intercepts", "residuals", "means", "lv.variances", "lv.covariances")))
  out$groups <- c(out$groups, list(c(list(text = factors, equal = as.list(equal)),
    result(polished(factors, hs, group = "school", meanstructure = TRUE, group.equal = equal)))))
for (equal in list("none", "intercepts", "residuals", "regressions", "lv.variances", c("loadings", "intercepts", "means", "regressions")))
  out$groups <- c(out$groups, list(c(list(text = mimic, equal = as.list(equal)),
    result(polished(mimic, hs, group = "school", meanstructure = TRUE, group.equal = equal)))))
write_json(out, "../lavaan_classics.json", auto_unbox = TRUE, digits = 15, na = "null")
