# The moments that given parameters imply, by lavaan (no data are fitted).
suppressMessages(library(lavaan)); library(jsonlite)
measurement <- "
  Image =~ 0.80*i1 + 0.70*i2 + 0.75*i3
  Quality =~ 0.85*q1 + 0.80*q2 + 0.75*q3
  Satisfaction =~ 0.90*s1 + 0.85*s2 + 0.80*s3
  Loyalty =~ 0.90*l1 + 0.60*l2
  i1 ~~ 0.36*i1; i2 ~~ 0.51*i2; i3 ~~ 0.4375*i3
  q1 ~~ 0.2775*q1; q2 ~~ 0.36*q2; q3 ~~ 0.4375*q3
  s1 ~~ 0.19*s1; s2 ~~ 0.2775*s2; s3 ~~ 0.36*s3
  l1 ~~ 0.19*l1; l2 ~~ 0.64*l2
"
# Disturbances: what the paths leave of a variance of 1.
#   Quality 1 - .5^2; Satisfaction 1 - (.3^2 + .5^2 + 2 * .3 * .5 * .5);
#   Loyalty 1 - (.2^2 + .6^2 + 2 * .2 * .6 * (.3 + .5 * .5))
structure <- "
  Quality ~ 0.5*Image
  Satisfaction ~ 0.3*Image + 0.5*Quality
  Loyalty ~ 0.2*Image + 0.6*Satisfaction
  Image ~~ 1*Image; Quality ~~ 0.75*Quality
  Satisfaction ~~ 0.51*Satisfaction; Loyalty ~~ 0.468*Loyalty
"
fit <- lavaan(paste(measurement, structure), do.fit = FALSE)
sigma <- unclass(fitted(fit)$cov)
latent <- unclass(lavInspect(fit, "cov.lv"))
matrix_of <- function(m) list(rows = rownames(m), cols = colnames(m), data = m)
cat(toJSON(list(
  made_with = paste("R", getRversion(), "lavaan", packageVersion("lavaan")),
  script = "scripts/population.R",
  cov = matrix_of(sigma), construct_cor = matrix_of(latent)
), digits = 15, auto_unbox = TRUE, pretty = FALSE), "\n")
