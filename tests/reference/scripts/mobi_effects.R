# Run in this folder: Rscript mobi_effects.R
# Effects of the reduced ECSI as defined parameters, in scale units and standardised; the fit is
# polished by Newton steps on lavaan's own gradient and information and refitted from there.
suppressMessages(library(lavaan)); library(jsonlite)
d <- read.csv("../../../data/mobi.csv")
lines <- strsplit(fromJSON("../mobi_lavaan.json")$reduced_syntax, "\n")[[1]]
m <- paste(c(lines[grepl("=~", lines, fixed = TRUE)],
  "Quality ~ qi*Image", "Value ~ vq*Quality", "Satisfaction ~ sq*Quality + sv*Value",
  "Complaints ~ cs*Satisfaction", "Loyalty ~ ls*Satisfaction + lc*Complaints",
  "image_quality_satisfaction := qi*sq", "image_quality_value_satisfaction := qi*vq*sv",
  "image_satisfaction := qi*(sq + vq*sv)", "quality_satisfaction := sq + vq*sv",
  "quality_satisfaction_indirect := vq*sv", "satisfaction_loyalty := ls + cs*lc",
  "satisfaction_complaints_loyalty := cs*lc",
  "image_loyalty := qi*(sq + vq*sv)*(ls + cs*lc)",
  "image_quality_value_satisfaction_complaints_loyalty := qi*vq*sv*cs*lc"), collapse = "\n")
a <- sem(m, d); model <- a@Model; th <- lav_model_get_parameters(model)
gradient <- function(x) as.vector(lavaan:::lav_model_gradient(x, lavsamplestats = a@SampleStats,
  lavdata = a@Data, lavcache = a@Cache))
for (k in 1:8) {
  info <- lavaan:::lav_model_information_observed(model, lavsamplestats = a@SampleStats,
    lavdata = a@Data, lavoptions = a@Options, lavcache = a@Cache)
  th <- th - solve(info, gradient(model)); model <- lav_model_set_parameters(model, th)
}
pt <- parTable(a); pt$est <- NULL; pt$se <- NULL; pt$start[pt$free > 0] <- th[pt$free[pt$free > 0]]
fit <- sem(m, d, start = pt, optim.force.converged = TRUE)
e <- subset(parameterEstimates(fit), op == ":="); s <- subset(standardizedSolution(fit), op == ":=")
write_json(list(provenance =
  "lavaan 0.6-14, R 4.2.2: reduced ECSI of data/mobi.csv; script scripts/mobi_effects.R",
  name = e$lhs, est = e$est, se = e$se, lower = e$ci.lower, upper = e$ci.upper, std = s$est.std,
  std_se = s$se), "../mobi_effects.json", auto_unbox = TRUE, digits = 15)
