// The logistic loss and its derivatives in float32, for any kind of lane.
//
// This text is included inside a namespace, once for scalars (arith/loss.hpp) and once for
// every SIMD target (backend/cpu/), because a compiler fixes a function's instruction set where the
// function is written.  It has no include guard and includes nothing.  `Ops` names a lane type
// `Float` and the operations on it; each is one correctly rounded IEEE operation or a bit
// operation, so every instantiation gives the same bits.
//
// Method: e = exp(-|m|) as an unevaluated sum of two floats (Cody and Waite's reduction, Taylor
// polynomial), then sigmoid(m) = e^min(m,0) / (1 + e) and softplus(m) = max(m, 0) + log1p(e) with
// log1p(e) = 2 atanh(e / (2 + e)), both quotients corrected by their remainders.

template <class Float>
struct LogisticValue {
  Float sigmoid;   // 1 / (1 + exp(-m)), at most 2 ulp
  Float softplus;  // log(1 + exp(m)), at most 2 ulp
};

/// exp(-|m|) as high + low.
template <class Float>
struct SplitExponential {
  Float high;
  Float low;
};

template <class Ops>
OSSAU_HOST_DEVICE inline SplitExponential<typename Ops::Float> exp_minus_abs(
    typename Ops::Float m) {
  using Float = typename Ops::Float;
  const Float one = Ops::set(1.0f);
  // exp(-104) is below half the smallest subnormal.
  const Float x = Ops::negate(Ops::min(Ops::abs(m), Ops::set(104.0f)));
  const Float magic = Ops::set(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const Float k = Ops::subtract(Ops::fma(x, Ops::set(1.44269502f), magic), magic);
  Float f = Ops::fma(k, Ops::set(-0.693145752f), x);  // log(2), upper part
  f = Ops::fma(k, Ops::set(-1.42860677e-6f), f);      // log(2), lower part
  Float p = Ops::set(1.98412698e-4f);                 // 1/7!
  p = Ops::fma(p, f, Ops::set(1.38888889e-3f));       // 1/6!
  p = Ops::fma(p, f, Ops::set(8.33333333e-3f));
  p = Ops::fma(p, f, Ops::set(4.16666667e-2f));
  p = Ops::fma(p, f, Ops::set(0.166666667f));
  p = Ops::fma(p, f, Ops::set(0.5f));
  const Float tail = Ops::multiply(Ops::multiply(f, f), p);
  const Float high0 = Ops::add(one, f);
  const Float low0 = Ops::add(Ops::add(Ops::subtract(one, high0), f), tail);
  const Float high = Ops::add(high0, low0);
  const Float low = Ops::add(Ops::subtract(high0, high), low0);
  // 2^k reaches 2^-150, beyond the normal range: scale in two steps, the first of them exact.
  const typename Ops::Scale scale = Ops::power_of_two_halves(k);
  return {Ops::multiply(Ops::multiply(high, scale.first), scale.second),
          Ops::multiply(Ops::multiply(low, scale.first), scale.second)};
}

/// sigmoid(m) and softplus(m); finite for every finite m.
template <class Ops>
OSSAU_HOST_DEVICE inline LogisticValue<typename Ops::Float> logistic(typename Ops::Float m) {
  using Float = typename Ops::Float;
  const Float zero = Ops::set(0.0f);
  const Float one = Ops::set(1.0f);
  const Float two = Ops::set(2.0f);
  const SplitExponential<Float> e = exp_minus_abs<Ops>(m);

  const Float u = Ops::add(one, e.high);
  const Float u_low = Ops::add(Ops::add(Ops::subtract(one, u), e.high), e.low);
  const Float u_inverse = Ops::divide(one, u);
  const auto not_negative = Ops::greater_equal(m, zero);
  const Float numerator = Ops::select(not_negative, one, e.high);
  const Float numerator_low = Ops::select(not_negative, zero, e.low);
  const Float quotient = Ops::multiply(numerator, u_inverse);
  const Float remainder = Ops::add(Ops::negative_fma(quotient, u, numerator),
                                   Ops::negative_fma(quotient, u_low, numerator_low));
  const Float sigmoid = Ops::fma(remainder, u_inverse, quotient);

  const Float v = Ops::add(two, e.high);
  const Float v_low = Ops::add(Ops::add(Ops::subtract(two, v), e.high), e.low);
  const Float v_inverse = Ops::divide(one, v);
  const Float t = Ops::multiply(e.high, v_inverse);
  const Float t_remainder =
      Ops::add(Ops::negative_fma(t, v, e.high), Ops::negative_fma(t, v_low, e.low));
  const Float t_low = Ops::multiply(t_remainder, v_inverse);
  const Float tt = Ops::multiply(t, t);
  Float p = Ops::set(2.0f / 13);
  p = Ops::fma(p, tt, Ops::set(2.0f / 11));
  p = Ops::fma(p, tt, Ops::set(2.0f / 9));
  p = Ops::fma(p, tt, Ops::set(2.0f / 7));
  p = Ops::fma(p, tt, Ops::set(0.4f));
  p = Ops::fma(p, tt, Ops::set(0.666666667f));
  const Float log1p =
      Ops::add(Ops::fma(Ops::multiply(p, tt), t, Ops::add(t_low, t_low)), Ops::add(t, t));
  return {sigmoid, Ops::add(Ops::max(m, zero), log1p)};
}

/// The logistic loss's second derivative e / (1 + e)^2, e = exp(-|m|), at most 2 ulp and at most
/// 1/4; the same for m and -m.
template <class Ops>
OSSAU_HOST_DEVICE inline typename Ops::Float logistic_curvature(typename Ops::Float m) {
  using Float = typename Ops::Float;
  const Float one = Ops::set(1.0f);
  const SplitExponential<Float> e = exp_minus_abs<Ops>(m);
  // The quotient of logistic() for a negative m.
  const Float u = Ops::add(one, e.high);
  const Float u_low = Ops::add(Ops::add(Ops::subtract(one, u), e.high), e.low);
  const Float u_inverse = Ops::divide(one, u);
  const Float quotient = Ops::multiply(e.high, u_inverse);
  const Float remainder =
      Ops::add(Ops::negative_fma(quotient, u, e.high), Ops::negative_fma(quotient, u_low, e.low));
  // t = e / (1 + e) <= 1/2, so t - t^2 does not cancel as p (1 - p) does for p near 1; and since
  // it is rounded once, it is no more than 1/4 whatever the error of t.
  const Float t = Ops::fma(remainder, u_inverse, quotient);
  return Ops::negative_fma(t, t, t);
}
