import io.pyroscope.labels.v2.LabelsSet;
import io.pyroscope.labels.v2.Pyroscope.LabelsWrapper;
import java.lang.management.ManagementFactory;

/** Burns CPU in two functions, one of them under a label, allocates, and lets two threads contend for a monitor. */
public class Workload {
  static volatile Object sink;
  static final Object till = new Object();

  /** Works until the thread has used so much CPU time: a busy machine makes it longer, not different. */
  static double burn(long nanos) {
    var threads = ManagementFactory.getThreadMXBean();
    long until = threads.getCurrentThreadCpuTime() + nanos;
    double sum = 0;
    while (threads.getCurrentThreadCpuTime() < until)
      for (int i = 1; i < 20_000; i++) sum += Math.sqrt(i) * Math.sin(i);
    return sum;
  }

  static void hotCheckout(long nanos) { sink = burn(nanos); }

  static void coldSearch(long nanos) { sink = burn(nanos); }

  static void allocatePages(int count) {
    for (int i = 0; i < count; i++) sink = new byte[1 << 20];
  }

  static void holdTill() throws InterruptedException {
    synchronized (till) { Thread.sleep(50); }
  }

  static void contend() throws InterruptedException {
    for (int round = 0; round < 10; round++) {
      Thread other = new Thread(() -> {
        try { Thread.sleep(10); holdTill(); } catch (InterruptedException e) { throw new RuntimeException(e); }
      });
      other.start();
      holdTill();
      other.join();
    }
  }

  public static void main(String[] args) throws Exception {
    long nanos = (long) (Double.parseDouble(args[0]) * 1e9);
    LabelsWrapper.run(new LabelsSet("route", "/checkout"), () -> hotCheckout(nanos * 3 / 4));
    coldSearch(nanos / 4);
    allocatePages(256);
    contend();
    // The agent uploads what has ended: windows of a second.
    Thread.sleep(2500);
    System.out.println("{\"cpuSeconds\":" + nanos / 1e9 + "}");
  }
}
