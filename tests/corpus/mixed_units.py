"""Parameters of unlike units in one flat vector: the entries of the gradient are 1e2 to 1e16 apart.

Each entry moves the cost alike when it moves by a share of itself, so that steps of 1e-4 of a parameter show
each entry to 1e-8 of itself or better: the rounding of the cost is 1e-16 of it, and that step changes it by
1e-4 or so of it. In float32 the rounding is 6e-8 and steps of 1e-2 leave 1e-3. `sees` is that figure,
with room for sums that cancel.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.special import digamma

from corpus.cases import Case
from corpus.digits import by_digits, gammaln
from corpus.twins import small_and_large


def verified(name, cost, gradient, p, args=(), **case):
    """A case of one flat vector whose truth is taken from its own cost in many digits."""
    p = np.asarray(p)
    return Case(
        name,
        cost,
        gradient,
        p,
        args,
        truth=partial(by_digits, case.pop("in_digits", cost), p, args),
        **{"sees": 1e-5, **case},
    )


def scatter(seed, n, size=0.03):
    """Factors around one."""
    return 1 + size * np.random.default_rng(seed).normal(size=n)


def fit(name, model, slopes, p, t, seed, weight=1.0, **case):
    """Half the sum of squares; `slopes` has a row for each parameter."""
    y = np.asarray(model(np.asarray(p) * scatter(seed, len(p), 0.2), t) * scatter(seed + 1, len(t)))

    def cost(p, t, y):
        return np.sum((model(p, t) - y) ** 2) * (0.5 * weight)

    def gradient(p, t, y):
        return weight * (np.array(slopes(p, t)) @ (model(p, t) - y))

    return verified(name, cost, gradient, p, (t, y), **case)


# Physics and chemistry


def low_pass(p, w):
    """The amplitude behind a resistor and a capacitor."""
    return 1 / np.sqrt(1 + (w * (p[0] * p[1])) ** 2)


def low_pass_slopes(p, w):
    """Its derivatives."""
    a = low_pass(p, w)
    by_product = -(a**3) * w**2 * p[0] * p[1]
    return [by_product * p[1], by_product * p[0]]


def decay(p, t):
    """An amplitude, a time constant and a background."""
    return p[0] * np.exp(-t / p[1]) + p[2]


def decay_slopes(p, t):
    """Its derivatives."""
    e = np.exp(-t / p[1])
    return [e, p[0] * e * t / p[1] ** 2, np.ones_like(e)]


def arrhenius(p, T):
    """The logarithm of a rate: p = frequency factor, energy in J/mol."""
    return np.log(p[0]) - p[1] / (8.314462618 * T)


def michaelis(p, s):
    """A reaction rate: p = largest rate, half-saturation."""
    return p[0] * s / (p[1] + s)


def michaelis_slopes(p, s):
    """Its derivatives."""
    return [s / (p[1] + s), -p[0] * s / (p[1] + s) ** 2]


def bar(p, load):
    """The extension of a bar: p = modulus, area, length."""
    return load * (p[2] / (p[0] * p[1]))


def bar_slopes(p, load):
    """Its derivatives."""
    u = bar(p, load)
    return [-u / p[0], -u / p[1], u / p[2]]


def radiation(p, T):
    """Heat from a grey surface: p = emissivity, area, temperature of the room."""
    return 5.670374419e-8 * p[0] * p[1] * (T**4 - p[2] ** 4)


def radiation_slopes(p, T):
    """Its derivatives."""
    s = 5.670374419e-8
    between = T**4 - p[2] ** 4
    return [s * p[1] * between, s * p[0] * between, -4 * s * p[0] * p[1] * p[2] ** 3 + 0 * T]


def diode(p, V):
    """The current of a diode: p = saturation current, ideality, series conductance."""
    return p[0] * np.expm1(V / (0.02585 * p[1])) + p[2] * V


def diode_slopes(p, V):
    """Its derivatives."""
    u = V / (0.02585 * p[1])
    return [np.expm1(u), -p[0] * np.exp(u) * u / p[1], V]


def van_der_waals(p, V):
    """The pressure of one mol at 350 K: p = attraction, own volume."""
    return 8.314462618 * 350.0 / (V - p[1]) - p[0] / V**2


def van_der_waals_slopes(p, V):
    """Its derivatives."""
    return [-1 / V**2, 8.314462618 * 350.0 / (V - p[1]) ** 2]


def swing(p, t):
    """A damped spring: p = mass, stiffness, damping, amplitude."""
    m, k, c, a = p
    rate = c / (2 * m)
    return a * np.exp(-rate * t) * np.cos(np.sqrt(k / m - rate**2) * t)


def swing_slopes(p, t):
    """Its derivatives."""
    m, k, c, a = p
    rate = c / (2 * m)
    w = np.sqrt(k / m - rate**2)
    e, co, si = np.exp(-rate * t), np.cos(w * t), np.sin(w * t)
    by_rate, by_w = -t * a * e * co, -t * a * e * si
    by_rate = by_rate - by_w * rate / w  # the frequency falls with the rate
    return [
        -by_rate * rate / m - by_w * k / m**2 / (2 * w),
        by_w / (2 * w * m),
        by_rate / (2 * m),
        e * co,
    ]


def film(p, wavelength):
    """Interference of a thin film: p = thickness, index, brightness."""
    return p[2] * (1 + np.cos((4 * np.pi / wavelength) * (p[0] * p[1])))


def film_slopes(p, wavelength):
    """Its derivatives."""
    q = 4 * np.pi / wavelength
    s = -p[2] * np.sin(q * (p[0] * p[1])) * q
    return [s * p[1], s * p[0], 1 + np.cos(q * (p[0] * p[1]))]


def planck(p, wavelength):
    """Radiation of a star: p = temperature, solid angle."""
    c1, c2 = 1.191042972e-16, 0.01438776877
    return p[1] * (c1 / wavelength**5) / np.expm1(c2 / wavelength / p[0])


def planck_slopes(p, wavelength):
    """Its derivatives."""
    c2 = 0.01438776877
    u = c2 / wavelength / p[0]
    value = planck(p, wavelength)
    return [value * np.exp(u) / np.expm1(u) * u / p[0], value / p[1]]


def capillary(p, pressure):
    """Poiseuille flow: p = viscosity, radius, length."""
    return np.pi / 8 * pressure * p[1] ** 4 / (p[0] * p[2])


def capillary_slopes(p, pressure):
    """Its derivatives."""
    q = capillary(p, pressure)
    return [-q / p[0], 4 * q / p[1], -q / p[2]]


def meyer(p, t):
    """The resistance of a thermistor (Meyer's problem): p1 exp(p2 / (t + p3))."""
    return p[0] * np.exp(p[1] / (t + p[2]))


def meyer_slopes(p, t):
    """Its derivatives."""
    e = np.exp(p[1] / (t + p[2]))
    return [e, p[0] * e / (t + p[2]), -p[0] * p[1] * e / (t + p[2]) ** 2]


def absorption(p, t):
    """A drug taken once: p = dose in ng, absorption, elimination, volume."""
    d, ka, ke, v = p
    return d * ka / (v * (ka - ke)) * (np.exp(-ke * t) - np.exp(-ka * t))


def absorption_slopes(p, t):
    """Its derivatives."""
    d, ka, ke, v = p
    c = absorption(p, t)
    scale = d * ka / (v * (ka - ke))
    return [
        c / d,
        c * (1 / ka - 1 / (ka - ke)) + scale * t * np.exp(-ka * t),
        c / (ka - ke) - scale * t * np.exp(-ke * t),
        -c / v,
    ]


def physics_cases():
    """Fits of measurements in SI units."""
    yield fit("low-pass filter", low_pass, low_pass_slopes, [50.0, 1e-12], np.geomspace(3e9, 2e11, 20), 601)
    t = np.linspace(0, 8e-9, 25)
    yield fit("decay of counts within nanoseconds", decay, decay_slopes, [3e5, 2e-9, 120.0], t, 603)
    yield fit(
        "Arrhenius law",
        arrhenius,
        lambda p, T: [1 / p[0] + 0 * T, -1 / (8.314462618 * T)],
        [1e13, 8e4],
        np.linspace(290, 400, 12),
        605,
    )
    s = np.geomspace(1e-5, 1e-3, 15)
    yield fit("Michaelis-Menten kinetics", michaelis, michaelis_slopes, [2e-7, 5e-5], s, 607)
    yield fit(
        "Michaelis-Menten kinetics of large numbers", michaelis, michaelis_slopes, [4e5, 3e-4], 10 * s, 609
    )
    load = np.linspace(1e3, 2e4, 10)
    yield fit("bar of steel", bar, bar_slopes, [2e11, 1e-4, 2.0], load, 611)
    T = np.linspace(400, 1500, 12)
    yield fit("grey radiation", radiation, radiation_slopes, [0.8, 1e-2, 293.0], T, 613)
    V = np.linspace(0.3, 0.7, 15)
    yield fit("diode", diode, diode_slopes, [1e-12, 1.6, 1e-7], V, 615)
    V = np.geomspace(1e-4, 1e-2, 15)
    yield fit("van der Waals gas", van_der_waals, van_der_waals_slopes, [0.364, 4.27e-5], V, 617)
    t = np.linspace(0, 6e-3, 30)
    yield fit("damped spring", swing, swing_slopes, [1e-3, 2e4, 0.5, 3e-5], t, 619)
    nm = np.linspace(400e-9, 800e-9, 25)
    yield fit("thin film", film, film_slopes, [500e-9, 1.5, 2e4], nm, 621)
    yield fit("Planck's law", planck, planck_slopes, [5800.0, 6.8e-5], nm, 623)
    pressure = np.linspace(1e3, 2e4, 8)
    yield fit("capillary", capillary, capillary_slopes, [1e-3, 1e-4, 0.2], pressure, 625)
    yield fit("Meyer's thermistor", meyer, meyer_slopes, [0.02, 4000.0, 250.0], np.arange(50.0, 126, 5), 627)
    t = np.linspace(0.25, 24, 14)
    yield fit("drug taken once", absorption, absorption_slopes, [2e8, 1.3, 0.12, 4e4], t, 629)


# Mechanics over time


def populations(p, data):
    """Lotka-Volterra in numbers of animals by Runge-Kutta: p = four rates."""
    total, u = 0.0, (1200.0, 90.0)
    for k in range(len(data)):
        u = _three_steps(u, p)
        total = total + (u[0] - data[k, 0]) ** 2 + (u[1] - data[k, 1]) ** 2
    return total


def _three_steps(u, p, h=0.1):
    for _ in range(3):
        a = _growth(u, p)
        b = _growth((u[0] + h / 2 * a[0], u[1] + h / 2 * a[1]), p)
        c = _growth((u[0] + h / 2 * b[0], u[1] + h / 2 * b[1]), p)
        d = _growth((u[0] + h * c[0], u[1] + h * c[1]), p)
        u = tuple(v + h / 6 * (q + 2 * r + 2 * s + t) for v, q, r, s, t in zip(u, a, b, c, d, strict=True))
    return u


def _growth(u, p):
    return p[0] * u[0] - p[1] * u[0] * u[1], p[2] * u[0] * u[1] - p[3] * u[1]


def populations_gradient(p, data):
    """Its gradient by tangents through the same scheme."""
    g, u = np.zeros(4), (Tangent(1200.0, np.zeros(4)), Tangent(90.0, np.zeros(4)))
    rates = [Tangent(v, e) for v, e in zip(p, np.eye(4), strict=True)]
    for k in range(len(data)):
        u = _three_steps(u, rates)
        for j in range(2):
            g += 2 * (u[j].value - data[k, j]) * u[j].slope
    return g


class Tangent:
    """A number with its gradient: sums and products are all that is needed."""

    def __init__(self, value, slope):
        self.value, self.slope = value, slope

    def __add__(self, other):
        if isinstance(other, Tangent):
            return Tangent(self.value + other.value, self.slope + other.slope)
        return Tangent(self.value + other, self.slope)

    def __sub__(self, other):
        return self + -1.0 * other

    def __mul__(self, other):
        if isinstance(other, Tangent):
            return Tangent(self.value * other.value, self.value * other.slope + other.value * self.slope)
        return Tangent(self.value * other, self.slope * other)

    __rmul__ = __mul__


def orbit(p, t, x, y):
    """Positions in a plane: p = large half axis in m, eccentricity, angle, time of the lowest point."""
    a, e, angle, start = p
    E = _kepler(np.sqrt(3.986004418e14 / a**3) * (t - start), e)
    u, v = a * (np.cos(E) - e), a * np.sqrt(1 - e**2) * np.sin(E)
    c, s = np.cos(angle), np.sin(angle)
    return 0.5 * np.sum((c * u - s * v - x) ** 2 + (s * u + c * v - y) ** 2)


def _kepler(mean, e):
    E = mean + e * np.sin(mean)
    for _ in range(10):
        E = E - (E - e * np.sin(E) - mean) / (1 - e * np.cos(E))
    return E


def orbit_gradient(p, t, x, y):
    """Its gradient."""
    a, e, angle, start = p
    n = np.sqrt(3.986004418e14 / a**3)
    E = _kepler(n * (t - start), e)
    b = np.sqrt(1 - e**2)
    u, v = a * (np.cos(E) - e), a * b * np.sin(E)
    c, s = np.cos(angle), np.sin(angle)
    rx, ry = c * u - s * v - x, s * u + c * v - y
    du, dv = c * rx + s * ry, -s * rx + c * ry
    by_E = (-a * np.sin(E) * du + a * b * np.cos(E) * dv) / (1 - e * np.cos(E))  # by the mean anomaly
    return np.array(
        [
            np.sum(du * u / a + dv * v / a + by_E * (t - start) * n * -1.5 / a),
            np.sum(-a * du - a * e / b * np.sin(E) * dv + by_E * np.sin(E)),
            np.sum(rx * (-s * u - c * v) + ry * (c * u - s * v)),
            np.sum(-n * by_E),
        ]
    )


def mechanics_cases():
    """Motions with constants of unlike units."""
    rng = np.random.default_rng(640)
    data = np.array([1000.0, 120.0]) * scatter(641, (8, 2), 0.3)
    yield verified(
        "Lotka-Volterra in numbers of animals",
        populations,
        populations_gradient,
        [0.9, 6e-3, 4e-5, 0.5],
        (data,),
    )
    t = np.linspace(0, 6000, 12)
    x, y = 7e6 * np.cos(t / 950 + 0.4), 7e6 * np.sin(t / 950 + 0.4)
    yield verified(
        "elements of an orbit",
        orbit,
        orbit_gradient,
        [7.02e6, 0.012, 0.31, 14.0],
        (t, x + 1e3 * rng.normal(size=12), y),
    )


# Statistics


def stable_counts(p, y):
    """A negative binomial as a sum over each count: p = dispersion size, mean."""
    alpha, mu = p
    total = 0.0
    for value in y:
        k = np.arange(value)
        total = (
            total + np.sum(np.log1p(k / alpha)) + value * np.log(mu) - (alpha + value) * np.log1p(mu / alpha)
        )
    return -total


def stable_counts_gradient(p, y):
    """Its gradient, without a difference of large terms."""
    alpha, mu = p
    u = mu / alpha
    by_alpha = sum(
        v * u / (alpha + mu)
        - _log1p_less_itself(u)
        - u**2 / (1 + u)
        - np.sum(np.arange(v) / (alpha * (alpha + np.arange(v))))
        for v in y
    )
    return -np.array([by_alpha, np.sum(y / mu - (alpha + y) / (alpha + mu))])


def _log1p_less_itself(u):
    """log(1 + u) - u for small u."""
    return sum((-1) ** (k + 1) * u**k / k for k in range(2, 7))


def counts(p, y):
    """A negative binomial by log-gamma: p = alpha, beta, with a mean of alpha / beta."""
    a, b = p
    return -np.sum(gammaln(y + a) - gammaln(a) + a * np.log(b) - (a + y) * np.log1p(b))


def counts_gradient(p, y):
    """Its gradient."""
    a, b = p
    return -np.array(
        [np.sum(digamma(y + a) - digamma(a) + np.log(b / (1 + b))), np.sum(a / b - (a + y) / (1 + b))]
    )


def waiting(p, y):
    """The same for a large alpha, as a sum over each count."""
    a, b = p
    return sum(
        (a + value) * np.log1p(1 / b) + value * np.log(b) - np.sum(np.log(a + np.arange(value)))
        for value in y
    )


def waiting_gradient(p, y):
    """Its gradient."""
    a, b = p
    by_a = sum(np.log1p(1 / b) - np.sum(1 / (a + np.arange(value))) for value in y)
    return np.array([by_a, np.sum(y / b - (a + y) / (b * (b + 1)))])


def rates(p, x, y):
    """A negative binomial regression: p = slope, intercept, alpha of 1e-4, by log-gamma."""
    mu = np.exp(p[0] * x + p[1])
    r = 1 / p[2]
    return -np.sum(gammaln(y + r) - gammaln(r) + y * np.log(mu / (mu + r)) - r * np.log1p(mu * p[2]))


def rates_gradient(p, x, y):
    """Its gradient."""
    mu = np.exp(p[0] * x + p[1])
    r = 1 / p[2]
    by_mu = y / mu - (y + r) / (mu + r)
    by_r = digamma(y + r) - digamma(r) + np.log(r / (mu + r)) + (mu - y) / (mu + r)
    return -np.array([np.sum(by_mu * mu * x), np.sum(by_mu * mu), np.sum(by_r) * -(r**2)])


def logistic(w, X, y):
    """An unscaled logistic regression."""
    z = X @ w
    return np.sum(np.log1p(np.exp(-z)) + (1 - y) * z)


def logistic_gradient(w, X, y):
    """Its gradient."""
    return X.T @ (1 / (1 + np.exp(-(X @ w))) - y)


def garch(p, r):
    """p = omega of 1e-6, alpha, beta."""
    h, total = r.dtype.type(1e-4), 0.0
    for k in range(len(r)):
        total = total + np.log(h) + r[k] ** 2 / h
        h = p[0] + p[1] * r[k] ** 2 + p[2] * h
    return 0.5 * total


def garch_gradient(p, r):
    """Its gradient by the recursion of the variance's."""
    h, dh, g = 1e-4, np.zeros(3), np.zeros(3)
    for k in range(len(r)):
        g += 0.5 * (1 / h - r[k] ** 2 / h**2) * dh
        dh = np.array([1.0, r[k] ** 2, h]) + p[2] * dh
        h = p[0] + p[1] * r[k] ** 2 + p[2] * h
    return g


def weibull(p, t):
    """Lifetimes in hours: p = shape, scale."""
    u = np.log(t) - np.log(p[1])
    return -np.sum(np.log(p[0]) - np.log(p[1]) + (p[0] - 1) * u - np.exp(p[0] * u))


def weibull_gradient(p, t):
    """Its gradient."""
    u = np.log(t / p[1])
    e = np.exp(p[0] * u)
    return -np.array([np.sum(1 / p[0] + u - u * e), np.sum(p[0] / p[1] * (e - 1))])


def normal(p, x):
    """A mean in hPa and a deviation of 1e-3."""
    return np.sum(0.5 * ((x - p[0]) / p[1]) ** 2 + np.log(p[1]))


def normal_gradient(p, x):
    """Its gradient."""
    u = (x - p[0]) / p[1]
    return np.array([-np.sum(u) / p[1], np.sum(1 - u**2) / p[1]])


def gamma_counts(p, x):
    """Gamma distribution: p = shape, rate of 1e-6."""
    return -np.sum(p[0] * np.log(p[1]) - gammaln(p[0]) + (p[0] - 1) * np.log(x) - p[1] * x)


def gamma_counts_gradient(p, x):
    """Its gradient."""
    return -np.array([np.sum(np.log(p[1]) - digamma(p[0]) + np.log(x)), np.sum(p[0] / p[1] - x)])


def people(n, rng):
    """Age, income, a concentration, and whether something happened."""
    X = np.column_stack([rng.uniform(20, 80, n), rng.uniform(1e4, 1e5, n), rng.uniform(1e-4, 2e-3, n)])
    return X, (rng.random(n) < 0.5).astype(float)


def statistics_cases():
    """Likelihoods in the units of their data."""
    rng = np.random.default_rng(650)
    y = np.array([0, 1, 0, 2, 1, 3, 0, 1])
    yield verified("negative binomial of size 2000", stable_counts, stable_counts_gradient, [2e3, 0.8], (y,))
    yield verified(
        "negative binomial of size 1e10",
        stable_counts,
        stable_counts_gradient,
        [1e10, 0.8],
        (y,),
        why="to double its size moves the cost of 8 by 1e-11: two to four digits are left",
        sees=1e-2,
    )
    yield verified(
        "negative binomial, alpha of 1e10", waiting, waiting_gradient, [1e10, 1.3e10], (y,), sees=1e-4
    )
    many = np.round(1e8 * rng.gamma(2.5, size=12))
    yield verified(
        "negative binomial, beta of 1e-8",
        counts,
        counts_gradient,
        [2.3, 1e-8],
        (many,),
        why="log-gamma of 1e8 is known to 1e-7",
        sees=1e-3,
    )
    x = rng.normal(size=20)
    seen = rng.poisson(np.exp(0.4 * x + 1.2)).astype(float)
    yield verified(
        "negative binomial regression, alpha of 1e-4",
        rates,
        rates_gradient,
        [0.38, 1.1, 1e-4],
        (x, seen),
        why="log-gamma of 1e4 loses six digits",
        exact=1e-6,
        sees=1e-4,
    )
    yield verified(
        "logistic regression without scaling",
        logistic,
        logistic_gradient,
        [0.02, -2e-5, 300.0],
        people(30, rng),
    )
    yield verified("GARCH", garch, garch_gradient, [1.1e-6, 0.08, 0.9], (0.01 * rng.normal(size=40),))
    t = 2e4 * rng.weibull(1.7, 20)
    yield verified("Weibull lifetimes in hours", weibull, weibull_gradient, [1.5, 2.3e4], (t,))
    x = 1013.25 + 1e-3 * rng.normal(size=15)
    yield verified("normal, deviation of 1e-3", normal, normal_gradient, [1013.2504, 1.2e-3], (x,))
    x = rng.gamma(2.5, 1e6, 20)
    yield verified("gamma distribution, rate of 1e-6", gamma_counts, gamma_counts_gradient, [2.2, 1e-6], (x,))


# Optimisation


def brown(x):
    """Brown's badly scaled function."""
    return (x[0] - 1e6) ** 2 + (x[1] - 2e-6) ** 2 + (x[0] * x[1] - 2) ** 2


def brown_gradient(x):
    """Its gradient."""
    e = 2 * (x[0] * x[1] - 2)
    return np.array([2 * (x[0] - 1e6) + e * x[1], 2 * (x[1] - 2e-6) + e * x[0]])


def powell(x):
    """Powell's badly scaled function."""
    return (1e4 * x[0] * x[1] - 1) ** 2 + (np.exp(-x[0]) + np.exp(-x[1]) - 1.0001) ** 2


def powell_gradient(x):
    """Its gradient."""
    a, b = 2 * (1e4 * x[0] * x[1] - 1), 2 * (np.exp(-x[0]) + np.exp(-x[1]) - 1.0001)
    return np.array([a * 1e4 * x[1] - b * np.exp(-x[0]), a * 1e4 * x[0] - b * np.exp(-x[1])])


def decades(x, size):
    """A sum of bent terms, one for each size."""
    u = x / size
    return np.sum(np.log1p(u) + 0.3 * u**2)


def decades_gradient(x, size):
    """Its gradient."""
    u = x / size
    return (1 / (1 + u) + 0.6 * u) / size


def portfolio(p, returns):
    """Utility of amounts of money: p = two amounts, aversion by amount."""
    gain = p[0] * returns[:, 0] + p[1] * returns[:, 1]
    return np.mean(np.exp(-p[2] * gain)) + 1e-3 * np.log(p[2]) ** 2 / 2


def portfolio_gradient(p, returns):
    """Its gradient."""
    gain = p[0] * returns[:, 0] + p[1] * returns[:, 1]
    e = np.exp(-p[2] * gain) / len(gain)
    return np.array(
        [
            -p[2] * np.sum(e * returns[:, 0]),
            -p[2] * np.sum(e * returns[:, 1]),
            -np.sum(e * gain) + 1e-3 * np.log(p[2]) / p[2],
        ]
    )


def optimisation_cases():
    """Test functions of optimisers that are known for their scaling."""
    yield verified("Brown's badly scaled function", brown, brown_gradient, [1.2e6, 2.1e-6])
    yield verified("Powell's badly scaled function", powell, powell_gradient, [1.2e-5, 9.1])
    yield verified("Powell's badly scaled function at its start", powell, powell_gradient, [1e-3, 1.0])
    size = 10.0 ** np.arange(-8, 9, 2)
    x = size * np.random.default_rng(660).uniform(0.5, 2, 9)
    yield verified("nine decades of parameters", decades, decades_gradient, x, (size,))
    yield verified("1e10 beside 0.8", decades, decades_gradient, [1e10, 0.8], (np.array([3e10, 1.0]),))
    size = np.repeat([1e-5, 1.0, 1e5], 4)
    x = size * np.random.default_rng(661).uniform(0.5, 2, 12)
    yield verified("three units, four parameters each", decades, decades_gradient, x, (size,))
    returns = np.random.default_rng(662).normal(0.05, 0.1, (15, 2))
    yield verified("portfolio in dollars", portfolio, portfolio_gradient, [2e6, 1e6, 8e-7], (returns,))


# float32


def as_float32(function):
    """The gradient of a model as float32, as a program with float32 arrays returns it."""
    return lambda *args: np.asarray(function(*args), dtype=np.float32)


def in_float32(name, model, slopes, p, t, seed, sees=5e-3, **case):
    """A fit with parameters, data and sums in float32."""
    t = np.asarray(t, dtype=np.float32)
    case = fit(name, model, slopes, np.asarray(p, np.float32), t, seed, sees=sees, exact=3e-6, **case)
    t, y = case.args[0], case.args[1].astype(np.float32)
    gradient = as_float32(case.gradient)
    truth = partial(by_digits, case.cost, case.params, (t, y))
    return Case(case.name, case.cost, gradient, case.params, (t, y), truth=truth, sees=sees, exact=3e-6)


def float32_cases():
    """Mixed units where the cost has seven digits."""
    yield in_float32(
        "decay in float32", decay, decay_slopes, [3e4, 2e-5, 120.0], np.linspace(0, 8e-5, 25), 671
    )
    s = np.geomspace(1e-5, 1e-3, 15)
    yield in_float32(
        "Michaelis-Menten kinetics in float32", michaelis, michaelis_slopes, [2e-3, 5e-5], s, 673
    )
    yield in_float32("bar in float32", bar, bar_slopes, [2e11, 1e-4, 2.0], np.linspace(1e3, 2e4, 10), 675)
    w = np.geomspace(3e6, 2e8, 20)
    yield in_float32("low-pass filter in float32", low_pass, low_pass_slopes, [50.0, 1e-9], w, 677)
    X, y = people(30, np.random.default_rng(679))
    w, X, y = np.array([0.02, -2e-5, 300.0], np.float32), X.astype(np.float32), y.astype(np.float32)
    yield verified(
        "logistic regression without scaling in float32",
        logistic,
        as_float32(logistic_gradient),
        w,
        (X, y),
        sees=5e-3,
        exact=3e-6,
    )


RIGHT = [
    *physics_cases(),
    *mechanics_cases(),
    *statistics_cases(),
    *optimisation_cases(),
    *float32_cases(),
]

WRONG = [wrong for case in RIGHT for wrong in small_and_large(case)]
