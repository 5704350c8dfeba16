# Run in this folder: Rscript mobi_factor_scores.R
suppressMessages(library(lavaan)); library(jsonlite)
d <- read.csv("../../../data/mobi.csv")
model <- "Image =~ IMAG1+IMAG2+IMAG3+IMAG4+IMAG5
Value =~ PERV1+PERV2
Satisfaction =~ CUSA1+CUSA2+CUSA3
Value ~ Image
Satisfaction ~ Image + Value"
single <- paste0(model, "\nComplaints =~ CUSCO\nCUSCO ~~ 0*CUSCO\nComplaints ~ Satisfaction")
gaps <- as.matrix(read.csv("../mobi_missing_mask.csv"))[, 1:24]
holes <- d
for (name in intersect(colnames(gaps), names(d))) holes[gaps[, name] == 1, name] <- NA
fits <- list(
  complete = sem(model, d),
  single = sem(single, d),
  means = sem(model, d, meanstructure = TRUE),
  fiml = sem(model, holes, missing = "fiml"))
out <- list(provenance = paste0("lavaan ", packageVersion("lavaan"), ", ", R.version.string,
  ": lavPredict of sem(model, data/mobi.csv), first 40 respondents; script scripts/mobi_factor_scores.R"),
  model = model, single_model = single)
for (kind in names(fits)) {
  entry <- list(chisq = as.numeric(fitMeasures(fits[[kind]], "chisq")))
  for (method in c("regression", "Bartlett"))
    entry[[tolower(method)]] <- unclass(lavPredict(fits[[kind]], method = method))[1:40, ]
  out[[kind]] <- entry
}
write_json(out, "../mobi_factor_scores.json", auto_unbox = TRUE, digits = 12, na = "null")
