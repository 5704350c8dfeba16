# Run in this folder: Rscript mobi_bollen_stine.R
suppressMessages(library(lavaan)); library(jsonlite)
d <- read.csv("../../../data/mobi.csv"); m <- fromJSON("../mobi_lavaan.json")$reduced_syntax
f <- sem(m, d); s <- fitted(f)$cov; x <- as.matrix(d[, colnames(s)]); n <- nrow(x)
power <- function(a, p) { e <- eigen(a, symmetric = TRUE); e$vectors %*% diag(e$values^p) %*% t(e$vectors) }
y <- scale(x, scale = FALSE) %*% power(cov(x) * (n - 1) / n, -0.5) %*% power(s, 0.5)
colnames(y) <- colnames(s)
rows <- as.matrix(read.csv("../mobi_boot_indices_500x250_1based.csv", header = FALSE))[1:30, ]
rows <- matrix(as.integer(rows), nrow = 30)
t <- apply(rows, 1, function(i) fitMeasures(suppressWarnings(sem(m, as.data.frame(y[i, ]))), "chisq"))
set.seed(1); b <- suppressWarnings(sem(m, d, test = "bollen.stine", bootstrap = 1000))@test$bollen.stine
write_json(list(provenance = paste("lavaan 0.6-14, R 4.2.2: chisq of sem(reduced ECSI) on moved answers of",
  "data/mobi.csv, rows of the first 30 resamples of mobi_boot_indices_500x250_1based.csv;",
  "draws: quantiles .05, .25, .5, .75, .95 of 1000 draws by test = 'bollen.stine', seed 1;",
  "script scripts/mobi_bollen_stine.R"), chisq = unname(t),
  draws = unname(quantile(b$boot.T, c(.05, .25, .5, .75, .95))), pvalue = b$pvalue),
  "../mobi_bollen_stine.json", auto_unbox = TRUE, digits = 12)
