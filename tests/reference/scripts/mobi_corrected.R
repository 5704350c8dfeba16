# Slopes of CUSL1 on latent Satisfaction and Image by covariance SEM and by factor scores with
# Croon's correction (lavaan's local structural-after-measurement, which for one factor a block is
# the same), answers from 1 to 10. R 4.2.2, lavaan 0.6-14.
# Rscript mobi_corrected.R ../../../data/mobi.csv > ../mobi_corrected.json
suppressMessages(library(lavaan))
d <- read.csv(commandArgs(TRUE)[1])
items <- c("CUSA1", "CUSA2", "CUSA3", paste0("IMAG", 1:5))
x <- d[, items]
x$y <- d$CUSL1
models <- list(
  one = "S =~ CUSA1 + CUSA2 + CUSA3\n y ~ S",
  image = "I =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5\n y ~ I",
  two = paste("S =~ CUSA1 + CUSA2 + CUSA3\n I =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5",
              "\n y ~ S + I"))
show <- function(fit) {
  e <- coef(fit)
  e <- e[grepl("=~|^y~[SI]", names(e))]
  paste0("{", paste0('"', names(e), '": ', sprintf("%.15g", e), collapse = ", "), "}")
}
parts <- sapply(names(models), function(m) {
  s <- sem(models[[m]], x, control = list(rel.tol = 1e-11))
  l <- sam(models[[m]], x, sam.method = "local",
           mm.args = list(control = list(rel.tol = 1e-11)))
  paste0('"', m, '": {"sem": ', show(s), ',\n  "local": ', show(l), "}")
})
cat('{\n"provenance": "R ', as.character(getRversion()), ", lavaan ",
    as.character(packageVersion("lavaan")), '; scripts/mobi_corrected.R",\n', sep = "")
cat(paste(parts, collapse = ",\n"), "\n}\n", sep = "")
