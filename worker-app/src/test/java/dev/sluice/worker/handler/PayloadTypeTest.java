// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.ConfigException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PayloadTypeTest {
  record Order(int n) {}

  abstract static class Quiet<T> implements TaskHandler<T> {
    @Override
    public void handle(Task<T> task, TaskContext context) {}
  }

  abstract static class Swapped<A, B> extends Quiet<B> {}

  interface Orders extends TaskHandler<Order> {}

  static class Bytes extends Quiet<byte[]> {}

  static class Direct extends Quiet<Order> {}

  static class Deep extends Swapped<String, Order> {}

  static class Deeper extends Deep {}

  static class Many extends Quiet<Order[]> {}

  static class Json extends Quiet<Map<String, Object>> {}

  static class ListOfOrders extends Quiet<List<Order>> {}

  static class Open<T> extends Quiet<T> {}

  static class ByInterface implements Orders {
    @Override
    public void handle(Task<Order> task, TaskContext context) {}
  }

  @SuppressWarnings("rawtypes")
  static class Raw implements TaskHandler {
    @Override
    public void handle(Task task, TaskContext context) {}
  }

  @Test
  void findsTheTypeWhereverInTheHierarchyItIsSaid() {
    assertThat(PayloadType.of(Bytes.class)).isEqualTo(byte[].class);
    assertThat(PayloadType.of(Direct.class)).isEqualTo(Order.class);
    assertThat(PayloadType.of(Deep.class)).isEqualTo(Order.class);
    assertThat(PayloadType.of(Deeper.class)).isEqualTo(Order.class);
    assertThat(PayloadType.of(ByInterface.class)).isEqualTo(Order.class);
    assertThat(PayloadType.of(Many.class)).isEqualTo(Order[].class);
    assertThat(PayloadType.of(Json.class)).isEqualTo(Map.class);
  }

  @Test
  void refusesWhatCannotBeDecodedInsteadOfFailingEveryTask() {
    for (Class<?> handler : List.of(Raw.class, Open.class, ListOfOrders.class)) {
      assertThatThrownBy(() -> PayloadType.of(handler))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining(handler.getName())
          .hasMessageContaining("TaskHandler<byte[]>");
    }
  }
}
