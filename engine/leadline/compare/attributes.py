"""Statistics as attributes of a compared column, so that they are found and typed by name."""

from __future__ import annotations

from .statistic import Statistic


class StatisticAttributes:
    """Attributes that stand for ``self[name]``. Where a column lacks one, asking for it says so."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Statistic:
        raise NotImplementedError

    @property
    def ks(self) -> Statistic:
        """Two-sample Kolmogorov-Smirnov distance (`numeric.ks`)."""
        return self["ks"]

    @property
    def wasserstein(self) -> Statistic:
        """First Wasserstein distance, in the column's unit (`numeric.wasserstein`)."""
        return self["wasserstein"]

    @property
    def wasserstein_scaled(self) -> Statistic:
        """First Wasserstein distance over the reference's spread (`numeric.wasserstein_scaled`)."""
        return self["wasserstein_scaled"]

    @property
    def energy(self) -> Statistic:
        """Energy distance (`numeric.energy`)."""
        return self["energy"]

    @property
    def kuiper(self) -> Statistic:
        """Kuiper's distance (`numeric.kuiper`)."""
        return self["kuiper"]

    @property
    def cramer_von_mises(self) -> Statistic:
        """Cramer and von Mises' distance (`ranks.cramer_von_mises`)."""
        return self["cramer_von_mises"]

    @property
    def anderson_darling(self) -> Statistic:
        """Anderson and Darling's distance (`ranks.anderson_darling`)."""
        return self["anderson_darling"]

    @property
    def mann_whitney(self) -> Statistic:
        """Probability that a current row is larger (`ranks.mann_whitney`)."""
        return self["mann_whitney"]

    @property
    def cliffs_delta(self) -> Statistic:
        """Cliff's delta (`ranks.cliffs_delta`)."""
        return self["cliffs_delta"]

    @property
    def shift_p5(self) -> Statistic:
        """Shift of the 5 % quantile (`quantiles.quantile_shift`)."""
        return self["shift_p5"]

    @property
    def shift_p25(self) -> Statistic:
        """Shift of the lower quartile (`quantiles.quantile_shift`)."""
        return self["shift_p25"]

    @property
    def shift_p50(self) -> Statistic:
        """Shift of the median (`quantiles.quantile_shift`)."""
        return self["shift_p50"]

    @property
    def shift_p75(self) -> Statistic:
        """Shift of the upper quartile (`quantiles.quantile_shift`)."""
        return self["shift_p75"]

    @property
    def shift_p95(self) -> Statistic:
        """Shift of the 95 % quantile (`quantiles.quantile_shift`)."""
        return self["shift_p95"]

    @property
    def welch_t(self) -> Statistic:
        """Welch's t (`moments.welch_t`)."""
        return self["welch_t"]

    @property
    def cohens_d(self) -> Statistic:
        """Cohen's d (`moments.cohens_d`)."""
        return self["cohens_d"]

    @property
    def variance_ratio(self) -> Statistic:
        """Ratio of the variances (`moments.variance_ratio`)."""
        return self["variance_ratio"]

    @property
    def psi(self) -> Statistic:
        """Population stability index (`binned.psi`)."""
        return self["psi"]

    @property
    def jensen_shannon(self) -> Statistic:
        """Jensen-Shannon distance, base 2 (`binned.jensen_shannon`)."""
        return self["jensen_shannon"]

    @property
    def kl_divergence(self) -> Statistic:
        """Kullback-Leibler divergence from the reference (`binned.kl_divergence`)."""
        return self["kl_divergence"]

    @property
    def hellinger(self) -> Statistic:
        """Hellinger distance (`binned.hellinger`)."""
        return self["hellinger"]

    @property
    def bhattacharyya(self) -> Statistic:
        """Bhattacharyya distance (`binned.bhattacharyya`)."""
        return self["bhattacharyya"]

    @property
    def total_variation(self) -> Statistic:
        """Total variation distance (`binned.total_variation`)."""
        return self["total_variation"]

    @property
    def overlap(self) -> Statistic:
        """One less the total variation distance (`binned.overlap`)."""
        return self["overlap"]

    @property
    def l_infinity(self) -> Statistic:
        """Largest difference of a share (`binned.l_infinity`)."""
        return self["l_infinity"]

    @property
    def chi2(self) -> Statistic:
        """Pearson's chi-squared statistic (`contingency.chi2`)."""
        return self["chi2"]

    @property
    def cramers_v(self) -> Statistic:
        """Cramer's V (`contingency.cramers_v`)."""
        return self["cramers_v"]

    @property
    def g_test(self) -> Statistic:
        """Likelihood-ratio statistic (`contingency.g_test`)."""
        return self["g_test"]

    @property
    def entropy_change(self) -> Statistic:
        """Change of Shannon's entropy (`categorical.entropy_change`)."""
        return self["entropy_change"]

    @property
    def cohens_h(self) -> Statistic:
        """Cohen's h of two shares (`shares.cohens_h`)."""
        return self["cohens_h"]

    @property
    def share_ratio(self) -> Statistic:
        """Ratio of the shares of the rarer outcome (`shares.share_ratio`)."""
        return self["share_ratio"]

    @property
    def z_test(self) -> Statistic:
        """Pooled z of two shares (`shares.z_test`)."""
        return self["z_test"]

    @property
    def fisher_exact(self) -> Statistic:
        """Odds ratio with Fisher's exact test (`shares.fisher_exact`)."""
        return self["fisher_exact"]
